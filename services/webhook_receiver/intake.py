"""From hints to durable records: through the breaker, and with a gap signal once a partition can be written again."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence

from services.webhook_receiver.protocols.push import Hint
from services.webhook_receiver.records import gap_record, hint_record
from shared.domain import trace
from shared.domain.identity import Mailbox, partition_of
from shared.domain.trace import Trace
from shared.ports.clock import Clock
from shared.ports.log import Log, NewRecord
from shared.runtime import metrics
from shared.runtime.breaker import Breaker


class Gaps:
    """Partitions for which hints were turned away, with one mailbox each. Thread-safe; in memory only."""

    def __init__(self) -> None:
        self._missed: dict[int, Mailbox] = {}
        self._lock = threading.Lock()

    def note(self, missed: Iterable[tuple[int, Mailbox]]) -> None:
        """Hints of these partitions were not taken."""
        with self._lock:
            for partition, mailbox in missed:
                self._missed.setdefault(partition, mailbox)

    def taken(self, partitions: Collection[int]) -> dict[int, Mailbox]:
        """Take the gaps of `partitions` out, to be signalled: one caller gets each."""
        with self._lock:
            return {partition: self._missed.pop(partition) for partition in partitions if partition in self._missed}


class Intake:
    """
    Puts hints on their topic, all of a request or a refusal.

    The providers repeat a 503 for hours, not for ever, and may drop what they hold; so the first append to a partition
    after failed ones also says "gap" (design §9).
    """

    def __init__(self, log: Callable[[], Log], partitions: int, clock: Clock, breaker: Breaker) -> None:
        """`log` is asked at every append: it may have been away when the process started."""
        self._log = log
        self._partitions = partitions
        self._clock = clock
        self._breaker = breaker
        self._gaps = Gaps()

    def take(self, topic: str, hints: Sequence[Hint], step: Trace) -> None:
        """
        Append one record per hint; returns only when all of them are durable.

        Raises:
            LogUnavailableError: nothing may be acknowledged. Within 2.2 s, at once while the breaker is open.
        """
        if not hints:
            return
        headers = trace.headers(step)
        records = [hint_record(hint, topic, self._partitions, id=_new_id("n"), headers=headers) for hint in hints]
        lanes = frozenset(record.partition for record in records)
        gaps = self._gaps.taken(lanes)
        try:
            self._breaker.call(lanes, lambda: self._log().append([*records, *self._signals(gaps, step)]))
        except BaseException:
            self._gaps.note(gaps.items())
            self._gaps.note((partition_of(hint.mailbox.key, self._partitions), hint.mailbox) for hint in hints)
            raise
        metrics.GAPS.inc(len(gaps))

    def _signals(self, gaps: dict[int, Mailbox], step: Trace) -> list[NewRecord]:
        headers, now_ms = trace.headers(step), self._clock.now_ms()
        return [
            gap_record(mailbox, self._partitions, id=_new_id("c"), at_ms=now_ms, headers=headers)
            for mailbox in gaps.values()
        ]


def _new_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(16)}"
