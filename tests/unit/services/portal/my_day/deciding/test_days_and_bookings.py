"""Days, months and booking wishes, in whatever zone somebody lives."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.frame.problems import ProblemError
from services.portal.my_day.deciding.agenda import by_day, month_of, next_month, weeks
from services.portal.my_day.deciding.booking_form import read_booking
from services.portal.my_day.deciding.zones import NoSuchTimeError, instant_ms, local, midnight_ms, zone_from
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import AgendaItem

ZURICH, UTC, AUCKLAND = ZoneInfo("Europe/Zurich"), ZoneInfo("UTC"), ZoneInfo("Pacific/Auckland")
LIMA = ZoneInfo("America/Lima")
FIRST = date(2026, 11, 23)


def item(start_ms: int, hours: float = 1, **more: Any) -> AgendaItem:
    fields: dict[str, Any] = {
        "event_id": f"e{start_ms}", "uid": "u", "slot": "", "title": "T", "all_day": False, "private": False,
        "declined": False, "is_organizer": True, "attendees": (),
    }  # fmt: skip
    return AgendaItem(start_ms=start_ms, end_ms=start_ms + int(hours * HOUR_MS), **{**fields, **more})


def at(day: date, hour: int, zone: ZoneInfo) -> int:
    return instant_ms(day, time(hour), zone)


@pytest.mark.proves("E2")
def test_an_evening_in_auckland_is_another_day_in_zurich() -> None:
    late = item(at(FIRST, 23, AUCKLAND))
    assert [day.meetings for day in by_day([late], FIRST, 2, AUCKLAND)] == [1, 0]
    assert [day.meetings for day in by_day([late], FIRST, 2, ZURICH)] == [1, 0]  # eleven in the morning there
    early = item(at(FIRST, 1, ZURICH))
    assert [day.meetings for day in by_day([early], date(2026, 11, 22), 2, UTC)] == [0, 1]
    assert [day.meetings for day in by_day([item(at(FIRST, 0, ZURICH))], date(2026, 11, 22), 2, UTC)] == [1, 0]


@pytest.mark.proves("E6")
def test_an_all_day_event_counts_once_on_its_own_first_date_wherever_one_is() -> None:
    three_days = item(midnight_ms(FIRST, UTC), 72, all_day=True)
    for zone in (UTC, ZURICH, AUCKLAND, LIMA):
        assert [day.meetings for day in by_day([three_days], FIRST, 4, zone)] == [1, 0, 0, 0]


@pytest.mark.proves("E6")
def test_what_was_declined_is_shown_and_not_counted() -> None:
    [day] = by_day([item(at(FIRST, 9, UTC), declined=True), item(at(FIRST, 10, UTC))], FIRST, 1, UTC)
    assert (len(day.items), day.meetings) == (2, 1)


def test_a_day_in_the_midst_of_a_long_meeting_says_that_it_goes_on() -> None:
    conference = item(at(FIRST, 9, ZURICH), 56)
    days = by_day([conference], FIRST, 4, ZURICH)
    assert [len(day.items) for day in days] == [1, 0, 0, 0]
    assert [day.goes_on for day in days] == [(), (conference,), (conference,), ()]


def test_what_began_before_the_first_day_stands_on_it_and_what_ended_before_does_not() -> None:
    overnight = item(at(date(2026, 11, 22), 23, UTC), 3)
    over = item(at(date(2026, 11, 22), 8, UTC))
    [day] = by_day([overnight, over], FIRST, 1, UTC)
    assert day.items == (overnight,)


def test_items_stand_in_order_with_all_day_ones_first() -> None:
    found = [item(at(FIRST, 15, UTC)), item(at(FIRST, 9, UTC)), item(midnight_ms(FIRST, UTC), 24, all_day=True)]
    [day] = by_day(found, FIRST, 1, UTC)
    assert [each.all_day for each in day.items] == [True, False, False]
    assert day.items[1].start_ms < day.items[2].start_ms


def test_a_month_is_rows_of_whole_weeks_from_monday() -> None:
    month = month_of("2026-11", FIRST)
    days = by_day([], month, 30, UTC)
    rows = weeks(month, days)
    assert {len(row) for row in rows} == {7}
    assert [cell is None for cell in rows[0]] == [True] * 6 + [False]  # the 1st is a Sunday
    assert next_month(date(2026, 12, 1)) == date(2027, 1, 1)
    assert month_of("", FIRST) == date(2026, 11, 1)


@given(st.dates(date(1995, 1, 1), date(2100, 1, 1)), st.sampled_from([UTC, ZURICH, AUCKLAND]))
def test_every_midnight_begins_its_own_day(day: date, zone: ZoneInfo) -> None:
    begins_ms = midnight_ms(day, zone)
    assert local(begins_ms, zone).date() == day
    assert local(begins_ms - 1, zone).date() < day


def test_an_hour_that_the_clocks_skip_is_refused_and_one_they_repeat_is_the_first() -> None:
    with pytest.raises(NoSuchTimeError, match="02:30"):
        instant_ms(date(2027, 3, 28), time(2, 30), ZURICH)
    twice = instant_ms(date(2026, 10, 25), time(2, 30), ZURICH)
    assert local(twice + HOUR_MS, ZURICH).time() == time(2, 30)


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../../etc/passwd", "x" * 65, "/etc/localtime", "Europe"])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_from(name) is None


FORM = {"title": "Plan", "date": "2026-11-24", "from": "10:00", "to": "11:30", "guests": "b@x.example, C@x.example"}
NOW_MS = midnight_ms(FIRST, UTC)


def test_a_wish_is_read_on_the_wall_clock_of_its_person() -> None:
    wish = read_booking(FORM, ZURICH, NOW_MS)
    assert (wish.start_ms, wish.end_ms - wish.start_ms) == (at(date(2026, 11, 24), 10, ZURICH), 90 * 60_000)
    assert wish.guests == ("b@x.example", "c@x.example")
    assert wish.people == 3  # the guests and oneself
    assert read_booking({**FORM, "people": "9"}, ZURICH, NOW_MS).people == 9


@pytest.mark.proves("S7")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": " "}, "booking-title"),
        ({"title": "x" * 201}, "booking-title"),
        ({"date": "24.11.2026"}, "booking-date"),
        ({"from": "25:00"}, "booking-time"),
        ({"to": "10:00"}, "booking-time"),
        ({"to": "09:00"}, "booking-time"),
        ({"date": "2026-11-22"}, "booking-time"),
        ({"date": "2027-03-28", "from": "02:30"}, "booking-time"),
        ({"room": "r" * 65}, "booking-room"),
        ({"room": ["r"]}, "booking-room"),
        ({"people": "many"}, "booking-people"),
        ({"people": True}, "booking-people"),
        ({"guests": "nobody"}, "booking-guests"),
        ({"guests": [f"p{n}@x.example" for n in range(51)]}, "booking-guests"),
    ],
)
def test_what_cannot_be_booked_is_refused_before_anybody_is_asked(change: dict[str, Any], code: str) -> None:
    with pytest.raises(ProblemError) as refused:
        read_booking({**FORM, **change}, ZURICH, NOW_MS)
    assert refused.value.code == code
    assert refused.value.next_step


def test_no_wish_is_longer_than_a_day() -> None:
    wish = read_booking({**FORM, "from": "00:00", "to": "23:59"}, ZURICH, NOW_MS)
    assert wish.end_ms - wish.start_ms < DAY_MS
