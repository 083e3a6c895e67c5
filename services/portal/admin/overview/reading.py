"""Reads the figures of an organisation's overview, and keeps them for a moment: many administrators cost as much as one."""

from __future__ import annotations

from services.portal.admin.overview.deciding.figures import (
    OverviewFigures,
    count_answers,
    count_troubled,
    rank_rooms,
    show_common_refusal,
    show_confirmed,
    sum_weeks,
)
from services.portal.deps import Deps
from services.portal.frame.recent_counts import RecentCounts
from shared.contracts.day_tally import day_of
from shared.contracts.rows import ConsentState
from shared.domain.instants import SECOND_MS, to_rfc3339
from shared.organisations.confirmed_reading import ConfirmedCount
from shared.organisations.room_report import MAX_DAYS, read_days, read_meetings
from shared.registry import tables

KEPT_MS = 30 * SECOND_MS


class OverviewReader:
    """The overviews of this process's organisations."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._counts = RecentCounts(deps.clock, self._count, kept_ms=KEPT_MS)

    def read(self, tenant: str) -> OverviewFigures:
        """
        The figures, as they were counted at most `KEPT_MS` ago, or before that while another request counts them.

        Counting reads a small row for each day and partition, and the consents, rooms and meetings to come of the organisation.

        Raises:
            KeyDestroyedError: the organisation has just been switched off.
            StoreUnavailableError: view or registry cannot be reached.
        """
        return self._counts.of(tenant)

    def _count(self, tenant: str, _before: OverviewFigures | None) -> OverviewFigures:
        engine, registry, now_ms = self._deps.engine, self._deps.engine.registry, self._deps.clock.now_ms()
        keys = engine.keyring.keys(tenant)
        grants = list(tables.consents(registry).scan_readable(tenant))
        freshness = list(tables.freshness(registry).scan_readable(tenant))
        consents = [row for _, row in grants]
        states = [row.state for row in consents]
        heard = max((row.heard_at_ms for _, row in freshness), default=0)
        confirmed = ConfirmedCount(grants, freshness, now_ms)
        answers = count_answers(confirmed.of(read_meetings(engine.view, registry, keys)), now_ms)
        return {
            "at": to_rfc3339(now_ms),
            "connected": states.count(ConsentState.ACTIVE) + states.count(ConsentState.CONNECTING),
            "connecting": states.count(ConsentState.CONNECTING),
            "lastPush": to_rfc3339(heard) if heard else None,
            "failing": count_troubled(consents),
            "refusedAtOnce": show_common_refusal(consents),
            "confirmed": show_confirmed(confirmed.states),
            "pending": answers.pending,
            "weeks": sum_weeks(read_days(engine.view, keys, days=MAX_DAYS, now_ms=now_ms), day_of(now_ms)),
            "rooms": rank_rooms(answers, dict(tables.rooms(registry).scan_readable(tenant))),
        }
