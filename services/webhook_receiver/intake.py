"""From hints to durable records: through the breaker, and with a gap signal once a partition can be written again."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.webhook_receiver.gaps import Gaps
from services.webhook_receiver.protocols.push import Hint
from services.webhook_receiver.records import gap_record, hint_record
from services.webhook_receiver.waiting import Waiting
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
class Taking:
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
        self._waiting: Waiting[Taking] = Waiting(self._append_group, self._fail)

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
        taking = Taking(topic, hints, step, settled, lanes)
        if not self._breaker.passable(lanes):
            self._fail(taking, self._breaker.refusal())
        elif not self._waiting.add(taking):
            self._shed(taking)

    def refuse(self, topic: str, hints: Sequence[Hint], step: Trace, settled: Settled) -> None:
        """Take none of a request's hints, since more arrive than can be handled in time; `settled` is called here."""
        if not hints:
            settled(None)
            return
        self._shed(Taking(topic, hints, step, settled, frozenset()))

    def close(self) -> None:
        """End the thread that appends; what is not settled then is refused."""
        self._waiting.close()

    def _append_group(self, group: Sequence[Taking]) -> None:
        admitted = [taking for taking in group if self._admit(taking)]
        if not admitted:
            return
        try:
            self._log().begin_appends([self._append_of(taking) for taking in admitted])
        except Exception as error:  # noqa: BLE001  # the log could not be opened, or a record not be made: nothing is durable
            for taking in admitted:
                self._settle(taking, error)

    def _admit(self, taking: Taking) -> bool:
        taking.admitted = self._breaker.admit(taking.lanes)
        if not taking.admitted:
            self._settle(taking, self._breaker.refusal())
            return False
        taking.gaps = self._gaps.taken(taking.lanes)
        if taking in self._waiting:
            return True
        self._give_back(
            taking
        )  # its time ended meanwhile, perhaps before there was anything that `_fail` could give back
        return False

    def _append_of(self, taking: Taking) -> Append:
        headers = trace.headers(taking.step)
        records = [
            hint_record(hint, taking.topic, self._partitions, id=_new_id("n"), headers=headers) for hint in taking.hints
        ]
        if taking.gaps:
            records += self._signals(taking.gaps, taking.step)
        return Append(records, lambda failure: self._settle(taking, failure))

    def _settle(self, taking: Taking, failure: Exception | None) -> None:
        """Say what became of a request, unless its time is over and that was said."""
        if not self._waiting.remove(taking):
            return
        if failure is not None:
            self._fail(taking, failure)
            return
        self._breaker.settle(taking.lanes, succeeded=True)
        if taking.gaps:
            metrics.GAPS.inc(len(taking.gaps))
        taking.settled(None)

    def _fail(self, taking: Taking, failure: Exception) -> None:
        self._give_back(taking)
        taking.settled(failure)

    def _give_back(self, taking: Taking) -> None:
        """Have the breaker and the gaps know that nothing came of it; twice is as good as once."""
        if taking.admitted:
            self._breaker.settle(taking.lanes, succeeded=False)
        self._note(taking)  # the gaps that it was to signal are of the same partitions

    def _shed(self, taking: Taking) -> None:
        self._note(taking, quiet_s=SHED_QUIET_S)
        taking.settled(
            LogUnavailableError("more hints arrive than can be taken in time: those that came last are refused")
        )

    def _note(self, taking: Taking, *, quiet_s: float = 0.0) -> None:
        missed = [(partition_of(hint.mailbox.key, self._partitions), hint.mailbox) for hint in taking.hints]
        self._gaps.note(missed, quiet_s=quiet_s)

    def _signals(self, gaps: dict[int, Mailbox], step: Trace) -> list[NewRecord]:
        headers, now_ms = trace.headers(step), self._clock.now_ms()
        return [
            gap_record(mailbox, self._partitions, id=_new_id("c"), at_ms=now_ms, headers=headers)
            for mailbox in gaps.values()
        ]


def _new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(16)}"
