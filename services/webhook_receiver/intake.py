"""From hints to durable records: through the breaker, and with a gap signal once a partition can be written again."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.webhook_receiver.deadline_queue import DeadlineQueue
from services.webhook_receiver.gaps import Gaps
from services.webhook_receiver.protocols.push import Hint
from services.webhook_receiver.records import gap_record, hint_record
from shared.domain import trace
from shared.domain.identity import Mailbox, partition_of
from shared.domain.trace import Trace
from shared.errors import LogUnavailableError
from shared.ports.clock import Clock
from shared.ports.log import Append, Log, NewRecord
from shared.runtime import metrics
from shared.runtime.breaker import Breaker

Settled = Callable[[Exception | None], None]
"""Called once: with None when all hints of a request are durable, else with why they are not."""

SHED_QUIET_S = 2.0
"""Seconds without refusals for want of capacity, after which the gap that they left is signalled."""


@dataclass(eq=False, slots=True)
class PendingHints:
    """The hints of one request on their way into the log."""

    topic: str
    hints: Sequence[Hint]
    step: Trace
    settled: Settled
    lanes: frozenset[int]
    gaps: dict[int, Mailbox] = field(default_factory=dict)
    admitted: bool = False


class Intake:
    """
    Puts hints on their topic, all of a request or a refusal. Thread-safe.

    One thread appends for all requests: those that come while it is at work are the next group. A request is settled for
    itself, and waits for nobody else's records. The providers repeat a 503 for hours, not for ever, and may drop what they
    hold; so the first append to a partition after failed ones also says "gap" (design §9).
    """

    def __init__(self, log: Callable[[], Log], partitions: int, clock: Clock, breaker: Breaker) -> None:
        """`log` is asked at every append: it may have been away when the process started."""
        self._log = log
        self._partitions = partitions
        self._clock = clock
        self._breaker = breaker
        self._gaps = Gaps()
        self._queue: DeadlineQueue[PendingHints] = DeadlineQueue(self._append_group, self._fail)

    def take(self, topic: str, hints: Sequence[Hint], step: Trace) -> None:
        """
        Append one record per hint; returns only when all of them are durable.

        Raises:
            LogUnavailableError: nothing may be acknowledged. Within 2.2 s, at once while the breaker is open.
        """
        done = threading.Event()
        outcome: list[Exception | None] = []

        def settled(failure: Exception | None) -> None:
            outcome.append(failure)
            done.set()

        self.begin(topic, hints, step, settled)
        done.wait()
        if outcome[0] is not None:
            raise outcome[0]

    def begin(self, topic: str, hints: Sequence[Hint], step: Trace, settled: Settled) -> None:
        """Do what `take` does without waiting: `settled` is called once, within 2.2 s, perhaps before this returns."""
        if not hints:
            settled(None)
            return
        lanes = frozenset(partition_of(hint.mailbox.key, self._partitions) for hint in hints)
        pending = PendingHints(topic, hints, step, settled, lanes)
        if not self._breaker.passable(lanes):
            self._fail(pending, self._breaker.refusal())
        elif not self._queue.add(pending):
            self._shed(pending)

    def close(self) -> None:
        """End the thread that appends; what is not settled then is refused."""
        self._queue.close()

    def _append_group(self, group: Sequence[PendingHints]) -> None:
        admitted = [pending for pending in group if self._admit(pending)]
        if not admitted:
            return
        try:
            self._log().begin_appends([self._append_of(pending) for pending in admitted])
        except Exception as error:  # noqa: BLE001  # the log could not be opened, or a record not be made: nothing is durable
            for pending in admitted:
                self._settle(pending, error)

    def _admit(self, pending: PendingHints) -> bool:
        pending.admitted = self._breaker.admit(pending.lanes)
        if not pending.admitted:
            self._settle(pending, self._breaker.refusal())
            return False
        pending.gaps = self._gaps.taken(pending.lanes)
        if pending in self._queue:
            return True
        self._give_back(
            pending
        )  # its time ended meanwhile, perhaps before there was anything that `_fail` could give back
        return False

    def _append_of(self, pending: PendingHints) -> Append:
        headers = trace.headers(pending.step)
        records = [
            hint_record(hint, pending.topic, self._partitions, id=_new_id("n"), headers=headers)
            for hint in pending.hints
        ]
        if pending.gaps:
            records += self._signals(pending.gaps, pending.step)
        return Append(records, lambda failure: self._settle(pending, failure))

    def _settle(self, pending: PendingHints, failure: Exception | None) -> None:
        """Say what became of a request, unless its time is over and that was said."""
        if not self._queue.remove(pending):
            return
        if failure is not None:
            self._fail(pending, failure)
            return
        self._breaker.settle(pending.lanes, succeeded=True)
        if pending.gaps:
            metrics.GAPS.inc(len(pending.gaps))
        pending.settled(None)

    def _fail(self, pending: PendingHints, failure: Exception) -> None:
        self._give_back(pending)
        pending.settled(failure)

    def _give_back(self, pending: PendingHints) -> None:
        """Have the breaker and the gaps know that nothing came of it; twice is as good as once."""
        if pending.admitted:
            self._breaker.settle(pending.lanes, succeeded=False)
        self._note(pending)  # the gaps that it was to signal are of the same partitions

    def _shed(self, pending: PendingHints) -> None:
        self._note(pending, quiet_s=SHED_QUIET_S)
        pending.settled(
            LogUnavailableError("more hints arrive than can be taken in time: those that came last are refused")
        )

    def _note(self, pending: PendingHints, *, quiet_s: float = 0.0) -> None:
        missed = [(partition_of(hint.mailbox.key, self._partitions), hint.mailbox) for hint in pending.hints]
        self._gaps.note(missed, quiet_s=quiet_s)

    def _signals(self, gaps: dict[int, Mailbox], step: Trace) -> list[NewRecord]:
        headers, now_ms = trace.headers(step), self._clock.now_ms()
        return [
            gap_record(mailbox, self._partitions, id=_new_id("c"), at_ms=now_ms, headers=headers)
            for mailbox in gaps.values()
        ]


def _new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(16)}"
