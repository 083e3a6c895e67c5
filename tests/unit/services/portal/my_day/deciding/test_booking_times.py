"""What a booking form proposes, and what its buttons fill in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.portal.my_day.deciding.booking_times import (
    FormTime,
    fill_in,
    find_first_gap,
    form_time,
    lengths,
    next_half_hour,
)
from shared.domain.instants import HOUR_MS, from_datetime
from shared.domain.sighting import Window

ZURICH = ZoneInfo("Europe/Zurich")


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZURICH))


@pytest.mark.proves("E3")
@pytest.mark.parametrize(
    ("now", "proposed"),
    [
        ("2026-12-01T10:07", FormTime("2026-12-01", "10:30", "11:30")),
        ("2026-12-01T10:30", FormTime("2026-12-01", "11:00", "12:00")),
        ("2026-12-01T22:50", FormTime("2026-12-02", "09:00", "10:00")),
        ("2026-12-01T23:45", FormTime("2026-12-02", "00:00", "01:00")),
    ],
)
def test_next_round_half_hour_is_to_come_and_ends_on_its_day(now: str, proposed: FormTime) -> None:
    assert next_half_hour(at(now), ZURICH) == proposed


@pytest.mark.proves("E3")
def test_first_gap_is_where_the_person_has_nothing_in_office_hours() -> None:
    busy = [Window(at("2026-12-01T08:00"), at("2026-12-01T17:30"))]
    assert find_first_gap([], at("2026-12-01T07:00"), ZURICH) == FormTime("2026-12-01", "08:00", "09:00")
    assert find_first_gap(busy, at("2026-12-01T10:07"), ZURICH) == FormTime("2026-12-02", "08:00", "09:00")
    assert find_first_gap([Window(0, at("2027-12-01T08:00"))], at("2026-12-01T10:07"), ZURICH) is None


@pytest.mark.parametrize(
    ("pressed", "times"),
    [
        ({"minutes": "30"}, ("2026-12-01", "10:00", "10:30")),
        ({"minutes": "31"}, ("2026-12-01", "10:00", "11:00")),
        ({"minutes": "x" * 5000}, ("2026-12-01", "10:00", "11:00")),
        ({"minutes": "30", "from": "23:45"}, ("2026-12-01", "23:45", "11:00")),
        ({"minutes": "30", "from": "ten"}, ("2026-12-01", "ten", "11:00")),
        ({"time": "2026-12-03/14:30/15:15"}, ("2026-12-03", "14:30", "15:15")),
        ({"time": "tomorrow"}, ("2026-12-01", "10:00", "11:00")),
    ],
)
def test_buttons_fill_in_what_they_say_and_nothing_else(pressed: dict[str, Any], times: tuple[str, ...]) -> None:
    sent = {"title": "T", "date": "2026-12-01", "from": "10:00", "to": "11:00", **pressed}
    filled = fill_in(sent)
    assert (filled["date"], filled["from"], filled["to"]) == times
    assert filled["title"] == "T"
    assert not {"time", "minutes"} & set(filled)


def test_length_that_the_form_says_is_the_one_that_is_chosen() -> None:
    assert [each for each, now in lengths({"from": "10:00", "to": "10:45"}) if now] == [45]
    assert not any(now for _, now in lengths({"from": "", "to": ""}))


def test_time_over_midnight_cannot_be_said_by_a_form() -> None:
    assert form_time(Window(at("2026-12-01T23:30"), at("2026-12-01T23:30") + HOUR_MS), ZURICH) is None
