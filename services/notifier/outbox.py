"""
Messages on their way: sent in threads, outside every transaction, and never twice at the same time.

Organisations choose themselves what answers behind a chat channel, and how late. So that channel has two lanes of threads: whoever
answered late, or not at all, has the second one, and holds up nobody who answers (as `webhooks.courier` has it of endpoints).
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass

from services.notifier.channels.port import NoticeChannel, SendAttempt, Sending, SendOutcome
from services.notifier.deciding.plan import RungStep
from services.notifier.deciding.rungs import CHAT, MAIL
from shared.domain.identity import Mailbox
from shared.runtime.crash_points import crash_point
from shared.runtime.http_post import TIMEOUT
from shared.runtime.logging import get_logger

MAX_IN_FLIGHT = 16
"""By one lane, of one partition: what waits for a slow server waits in the ledger, and costs no memory."""
SLOW_CHAT = f"{CHAT}-slow"
"""The lane of chat channels that answer late."""
SLOW_S = 2.0
"""A chat channel that took longer, or did not answer in time, has the slow lane until it answers faster."""

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A message that is being sent."""

    message: str
    mailbox: Mailbox
    user: str
    steps: tuple[RungStep, ...]
    promised_from_ms: tuple[int, ...] = ()
    """When the time began within which they were to be told, of those of which that is promised."""
    channel: str = MAIL


class Outbox:
    """Used by one partition's thread; the sending threads only put results into a queue."""

    def __init__(self, channels: Mapping[str, NoticeChannel], threads_of: Callable[[str], Executor]) -> None:
        """
        Nothing is on its way.

        Args:
            channels: Name → what it is sent by.
            threads_of: Name of a channel, or `SLOW_CHAT` → the threads that send by it: one that is slow keeps no other waiting.
        """
        self._channels = channels
        self._threads_of = threads_of
        self._busy: Counter[str] = Counter()
        self._slow: set[Mailbox] = set()
        self._in_flight: dict[str, tuple[Future[None], str]] = {}
        """Message → its sending, and the lane in which it is sent."""
        self._ended: queue.SimpleQueue[tuple[Dispatch, SendAttempt, float]] = queue.SimpleQueue()
        self._unrecorded: deque[tuple[Dispatch, SendAttempt]] = deque()

    @property
    def channels(self) -> frozenset[str]:
        """The names of the channels that there are."""
        return frozenset(self._channels)

    @property
    def under_way(self) -> list[Future[None]]:
        """What is being sent."""
        return [future for future, _ in self._in_flight.values()]

    def is_full(self, channel: str, mailbox: Mailbox) -> bool:
        """Whether nothing more may be begun now by this channel, to what the ledger keeps under `mailbox`."""
        return self._busy[self._lane(channel, mailbox)] >= MAX_IN_FLIGHT

    def is_sending(self, message: str) -> bool:
        """Whether this message is on its way, or its result was not recorded yet."""
        return message in self._in_flight

    def send(self, dispatch: Dispatch, notice: Sending) -> None:
        """Begin to send."""
        lane = self._lane(dispatch.channel, dispatch.mailbox)
        self._in_flight[dispatch.message] = self._threads_of(lane).submit(self._send, dispatch, notice), lane
        self._busy[lane] += 1

    def results(self) -> Iterator[tuple[Dispatch, SendAttempt]]:
        """What has ended. Each is forgotten once the next is asked for: what could not be recorded is given again."""
        while not self._ended.empty():
            dispatch, attempt, took_s = self._ended.get()
            self._note_speed(dispatch, is_slow=took_s > SLOW_S or attempt.reason == TIMEOUT)
            self._unrecorded.append((dispatch, attempt))
        while self._unrecorded:
            dispatch, attempt = self._unrecorded[0]
            yield dispatch, attempt
            self._unrecorded.popleft()
            _, lane = self._in_flight.pop(dispatch.message)
            self._busy[lane] -= 1

    def _lane(self, channel: str, mailbox: Mailbox) -> str:
        return SLOW_CHAT if channel == CHAT and mailbox in self._slow else channel

    def _note_speed(self, dispatch: Dispatch, *, is_slow: bool) -> None:
        if dispatch.channel != CHAT:
            return
        if is_slow:
            self._slow.add(dispatch.mailbox)
        else:
            self._slow.discard(dispatch.mailbox)

    def _send(self, dispatch: Dispatch, notice: Sending) -> None:
        began_s = time.monotonic()
        try:
            attempt = self._channels[dispatch.channel].send(notice)
        except Exception as error:  # a fault of ours in one message must not stop the others
            logger.exception("message_failed", message=dispatch.message)
            attempt = SendAttempt(SendOutcome.LATER, type(error).__name__)
        if attempt.outcome is SendOutcome.ACCEPTED:
            crash_point("notifier.sent", dispatch.channel)
        self._ended.put((dispatch, attempt, time.monotonic() - began_s))


def drain(outboxes: Iterable[Outbox], timeout_s: float) -> None:
    """
    Wait once for what all of them have on its way.

    What takes longer is sent again by whoever takes over, under the same id.
    """
    wait([future for outbox in outboxes for future in outbox.under_way], timeout=timeout_s)
