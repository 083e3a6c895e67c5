"""Reads the figures of an organisation's overview, and keeps them for a moment: many administrators cost as much as one."""

from __future__ import annotations

import threading
from collections import OrderedDict

from services.portal.admin.overview.deciding.figures import OverviewFigures, count_troubled, rank_rooms, sum_weeks
from services.portal.deps import Deps
from shared.contracts.day_tally import day_of
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import ConsentState
from shared.domain.instants import SECOND_MS, to_rfc3339
from shared.organisations.room_report import MAX_DAYS, read_days, read_meetings
from shared.registry import tables

KEPT_MS = 30 * SECOND_MS
_MOST_KEPT = 100
"""Organisations."""


class OverviewReader:
    """The overviews of this process's organisations."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._kept: OrderedDict[str, tuple[int, OverviewFigures]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, tenant: str) -> OverviewFigures:
        """
        The figures, as they were counted at most `KEPT_MS` ago.

        Counting reads a small row for each day and partition, and the consents, rooms and meetings to come of the organisation,
        once each.

        Raises:
            KeyDestroyedError: the organisation has just been switched off.
            StoreUnavailableError: view or registry cannot be reached.
        """
        now_ms = self._deps.clock.now_ms()
        with self._lock:
            kept = self._kept.get(tenant)
        if kept and now_ms - kept[0] < KEPT_MS:
            return kept[1]
        figures = self._count(tenant, now_ms)
        with self._lock:
            self._kept[tenant] = now_ms, figures
            self._kept.move_to_end(tenant)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return figures

    def _count(self, tenant: str, now_ms: int) -> OverviewFigures:
        engine, registry = self._deps.engine, self._deps.engine.registry
        keys = engine.keyring.keys(tenant)
        consents = [row for _, row in tables.consents(registry).scan_readable(tenant)]
        dates = [date for meeting in read_meetings(engine.view, registry, keys) for date in meeting.dates]
        heard = max((row.heard_at_ms for _, row in tables.freshness(registry).scan_readable(tenant)), default=0)
        states = [row.state for row in consents]
        return {
            "at": to_rfc3339(now_ms),
            "connected": states.count(ConsentState.ACTIVE) + states.count(ConsentState.CONNECTING),
            "connecting": states.count(ConsentState.CONNECTING),
            "lastPush": to_rfc3339(heard) if heard else None,
            "failing": count_troubled(consents),
            "pending": sum(
                room.state is RoomState.PENDING for date in dates if date.begins > now_ms for room in date.rooms
            ),
            "weeks": sum_weeks(read_days(engine.view, keys, days=MAX_DAYS, now_ms=now_ms), day_of(now_ms)),
            "rooms": rank_rooms(
                (room for date in dates for room in date.rooms), dict(tables.rooms(registry).scan_readable(tenant))
            ),
        }
