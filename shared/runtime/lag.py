"""How far the owner of a partition is behind its input, as gauges: asked of the log every few seconds, in the owner's thread."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.topics import Station
from shared.domain.instants import SECOND_MS
from shared.errors import LogUnavailableError
from shared.ports.clock import Clock
from shared.ports.log import Log
from shared.runtime import metrics

SHOW_EVERY_MS = 5 * SECOND_MS


class LagGauges:
    """`roomsync_lag_records` and `roomsync_lag_seconds` of one partition of one service."""

    def __init__(self, log: Log, station: Station, partition: int, clock: Clock) -> None:
        self._log = log
        self._station = station
        self._partition = partition
        self._clock = clock
        self._next_ms = 0
        self._labels = (station.service, str(partition))

    def show(self, position: Mapping[str, int]) -> None:
        """Bring the gauges up to date, if it is time. `position`: input topic → next offset that is still owed work."""
        now_ms = self._clock.now_ms()
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + SHOW_EVERY_MS
        try:
            behind = [self._behind(topic, position.get(topic, 0), now_ms) for topic in self._station.inputs]
        except LogUnavailableError:
            return  # the last figures stand; that the log is away is told by whoever needs it
        metrics.LAG_RECORDS.labels(*self._labels).set(sum(records for records, _ in behind))
        metrics.LAG_SECONDS.labels(*self._labels).set(max(seconds for _, seconds in behind))

    def close(self) -> None:
        """The partition is another's: what it says of it counts."""
        for gauge in (metrics.LAG_RECORDS, metrics.LAG_SECONDS):
            gauge.labels(*self._labels)  # removing what was never shown is an error
            gauge.remove(*self._labels)

    def _behind(self, topic: str, position: int, now_ms: int) -> tuple[int, float]:
        """Records and seconds. Offsets that hold nothing but a commit's marker are not behind."""
        span = self._log.span(topic, self._partition)
        at = max(position, span.begin)
        if at >= span.end:
            return 0, 0.0
        oldest = self._log.read(topic, self._partition, at, limit=1)
        if not oldest:
            return 0, 0.0
        return span.end - oldest[0].offset, max(0.0, (now_ms - oldest[0].appended_at_ms) / SECOND_MS)
