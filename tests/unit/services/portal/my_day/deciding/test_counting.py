"""What is counted on which day, where something began before the first day that is shown."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from services.portal.my_day.deciding.agenda import by_day
from shared.domain.instants import DAY_MS, HOUR_MS, from_rfc3339
from shared.domain.sighting import AgendaItem

NEW_YORK = ZoneInfo("America/New_York")


def item(start: str, hours: int, *, all_day: bool = False) -> AgendaItem:
    start_ms = from_rfc3339(start)
    return AgendaItem(
        event_id="e", uid="u", slot="", title="", start_ms=start_ms, end_ms=start_ms + hours * HOUR_MS,
        all_day=all_day, private=False, declined=False, is_organizer=True, attendees=(),
    )  # fmt: skip


@pytest.mark.proves("E6")
@pytest.mark.parametrize(
    "spanning", [item("2026-10-31T00:00:00Z", 3 * DAY_MS // HOUR_MS, all_day=True), item("2026-11-01T03:00:00Z", 4)]
)
def test_what_spans_two_months_is_counted_in_the_first_alone_and_still_shown_in_the_second(
    spanning: AgendaItem,
) -> None:
    october = by_day([spanning], date(2026, 10, 1), 31, NEW_YORK)
    november = by_day([spanning], date(2026, 11, 1), 30, NEW_YORK)
    assert [day.date.day for day in october if day.meetings] == [31]
    assert [day.date.day for day in november if day.meetings] == []
    assert november[0].items == (spanning,)
