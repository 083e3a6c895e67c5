"""Keeps the view at the heels of the log: after the commit, after a take-over, and after the view was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from shared.contracts.topics import ROOM_STATUS_STATION
from shared.errors import StoreUnavailableError
from shared.ports.clock import Clock
from shared.ports.view import Applied, Row, View
from shared.runtime import metrics
from shared.runtime.logging import get_logger

CHECK_EVERY_MS = 1_000

logger = get_logger()


class Projection:
    """What one partition has committed, and how much of it the view has seen."""

    def __init__(
        self, view: View, topic_id: str, partition: int, *, whole: Callable[[], Sequence[Row]], clock: Clock
    ) -> None:
        """`whole` gives every row of the partition as last committed, for a view that is behind or lost."""
        self._view = view
        self._topic_id = topic_id
        self._partition = partition
        self._whole = whole
        self._clock = clock
        self._rows: dict[str, Row] = {}
        self._offset = -1
        self._seen: int | None = None
        self._checked_at_ms = 0
        self._away = False

    def restore(self, offset: int) -> None:
        """The partition was taken over with everything up to `offset`."""
        self._offset = offset
        self.flush()

    def add(self, rows: Iterable[Row], offset: int) -> None:
        """What the commit that ended at `offset` changed."""
        self._rows |= {row.key: row for row in rows}
        self._offset = offset
        self.flush()

    def flush(self) -> None:
        """Apply what is waiting, and look now and then whether the view still has the rest. Away costs only freshness."""
        now_ms = self._clock.now_ms()
        if not self._rows and abs(now_ms - self._checked_at_ms) < CHECK_EVERY_MS:
            return
        self._checked_at_ms = now_ms
        try:
            self._apply()
            self._away = False
        except StoreUnavailableError as error:
            metrics.STORE_UNAVAILABLE.labels(ROOM_STATUS_STATION.service).inc()
            if not self._away:
                logger.warning("view_unavailable", partition=self._partition, error=str(error))
            self._away = True

    def _apply(self) -> None:
        applied = self._view.applied(self._partition)
        expected = self._offset if self._seen is None else self._seen
        reach = Applied(self._topic_id, self._offset)
        if applied is None or applied.topic_id != self._topic_id or applied.offset < expected:
            logger.info("view_rebuilding", partition=self._partition, offset=self._offset)
            # It may hold rows that were deleted since, or another cluster's: the partition is replaced.
            self._view.apply(self._partition, reach, list(self._whole()), whole=True)
        elif not self._rows:
            return  # a commit without rows leaves the view where it is
        elif not self._view.apply(self._partition, reach, list(self._rows.values()), onto=applied.offset):
            return  # emptied between the two: the next flush sees it
        self._seen = self._offset
        self._rows = {}
