"""When a rung is due and of use, and which hours are quiet."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.notifier.deciding.plan import retry_after_ms
from services.notifier.deciding.rungs import Rung, quiet_until, to_come
from shared.contracts.notification import PromptLadder
from shared.contracts.rows import NotificationRow
from shared.domain.instants import HOUR_MS, MINUTE_MS, from_datetime

ZURICH = ZoneInfo("Europe/Zurich")


def at(text: str, zone: ZoneInfo = ZURICH) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone))


def a_ladder(hours: float) -> PromptLadder:
    opened = at("2026-12-01T10:00")
    return PromptLadder(prompt="d", meeting="m", opened_at_ms=opened, starts_ms=opened + int(hours * HOUR_MS))


@pytest.mark.parametrize(
    ("hours", "rungs"),
    [
        (72, ["first", "day-before", "hours-before"]),
        (24.5, ["first", "hours-before"]),
        (25.1, ["first", "day-before", "hours-before"]),
        (3, ["first"]),
        (0.5, ["first"]),
    ],
)
def test_a_reminder_that_would_follow_at_once_is_left_out(hours: float, rungs: list[str]) -> None:
    assert [rung for rung, _ in to_come(a_ladder(hours))] == [Rung(each) for each in rungs]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-12-01T22:00", "2026-12-02T07:00"),
        ("2026-12-02T06:59", "2026-12-02T07:00"),
        ("2026-12-02T07:00", "2026-12-02T07:00"),
        ("2026-12-01T21:59", "2026-12-01T21:59"),
        ("2026-10-25T01:00", "2026-10-25T07:00"),  # the night in which the clocks are put back
        ("2026-03-28T23:00", "2026-03-29T07:00"),  # and forward
    ],
)
def test_nights_are_quiet_on_the_persons_own_clock(now: str, until: str) -> None:
    assert quiet_until(NotificationRow(zone="Europe/Zurich"), at(now)) == at(until)


@pytest.mark.parametrize(
    "row",
    [
        NotificationRow(),
        NotificationRow(zone="Europe/Zurich", quiet=False),
        NotificationRow(zone="Europe/Zurich", quiet_from="07:00"),
        NotificationRow(zone="Nowhere/At_All"),
    ],
)
def test_no_hour_is_quiet_without_a_zone_or_a_wish(row: NotificationRow) -> None:
    assert quiet_until(row, at("2026-12-01T23:00")) == at("2026-12-01T23:00")


def test_waits_between_attempts_double_up_to_an_hour() -> None:
    waits = [retry_after_ms(attempt) for attempt in range(1, 40)]
    assert waits[:4] == [30_000, 60_000, 120_000, 240_000]
    assert max(waits) == 60 * MINUTE_MS
    assert waits == sorted(waits)
