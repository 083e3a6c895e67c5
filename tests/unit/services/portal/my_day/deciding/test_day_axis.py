"""Meetings on an axis of hours: at their times, side by side, within the day of whoever looks."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.meetings.deciding.free_times import OFFICE_HOURS
from services.portal.my_day.answers import ItemShape
from services.portal.my_day.deciding.agenda import week_of
from services.portal.my_day.deciding.day_axis import (
    DAY_MIN,
    HOUR_MIN,
    MOST_LANES,
    SHORTEST_MIN,
    AxisBlock,
    AxisTime,
    lay_out_day,
    place,
)
from services.portal.my_day.deciding.zones import instant_ms, midnight_ms
from shared.domain.instants import DAY_MS, MINUTE_MS, to_rfc3339

ZURICH, UTC, AUCKLAND = ZoneInfo("Europe/Zurich"), ZoneInfo("UTC"), ZoneInfo("Pacific/Auckland")
DAY = date(2026, 11, 24)
ELSEWHERE_MS = midnight_ms(date(2026, 12, 24), UTC)
STYLES = Path(__file__).parents[6] / "services" / "portal" / "static" / "day.css"


def shape(start_ms: int, minutes: float, *, all_day: bool = False) -> ItemShape:
    end_ms = start_ms + int(minutes * MINUTE_MS)
    found: Any = {"start": to_rfc3339(start_ms), "end": to_rfc3339(end_ms), "allDay": all_day}
    return found  # type: ignore[no-any-return]


def at(clock: str, zone: ZoneInfo = ZURICH, day: date = DAY) -> int:
    return instant_ms(day, time.fromisoformat(clock), zone)


def lanes_of(*spans: tuple[int, int]) -> list[tuple[int, int]]:
    return [(each.lane, each.lanes) for each in place([AxisBlock(n, *span) for n, span in enumerate(spans)])]


@pytest.mark.proves("E2")
def test_meetings_stand_at_their_times_on_the_wall_clock_of_whoever_looks() -> None:
    [block] = lay_out_day([shape(at("09:15"), 50)], DAY, ZURICH, ELSEWHERE_MS).blocks
    assert (block.begins, block.ends) == (AxisTime(9, 3), AxisTime(10, 1))
    [there] = lay_out_day([shape(at("09:15"), 50)], DAY, AUCKLAND, ELSEWHERE_MS).blocks
    assert there.begins == AxisTime(21, 3)


def test_meetings_that_overlap_share_the_width_and_others_have_all_of_it() -> None:
    assert lanes_of((540, 600), (570, 630), (600, 660), (700, 760)) == [(0, 2), (1, 2), (0, 2), (0, 1)]
    assert lanes_of((540, 600), (600, 660)) == [(0, 1), (0, 1)]


def test_what_lasts_all_day_stands_on_top_and_what_goes_on_is_cut_at_midnight() -> None:
    retreat = shape(midnight_ms(DAY, UTC), 2 * DAY_MIN, all_day=True)
    since_yesterday, into_tomorrow = shape(at("22:00") - DAY_MS, 4 * HOUR_MIN), shape(at("23:00"), 2 * HOUR_MIN)
    days = shape(at("12:00") - DAY_MS, 3 * DAY_MIN)
    axis = lay_out_day([retreat, since_yesterday, into_tomorrow, days], DAY, ZURICH, ELSEWHERE_MS)
    assert axis.on_top == (0, 3)
    assert [(each.begins_min, each.ends_min) for each in axis.blocks] == [(0, 120), (23 * HOUR_MIN, DAY_MIN)]
    assert axis.hours == range(24)


def test_office_hours_are_in_view_and_what_stands_beside_them_widens_the_axis() -> None:
    assert lay_out_day([], DAY, ZURICH, ELSEWHERE_MS).hours == OFFICE_HOURS
    early = lay_out_day([shape(at("06:30"), 30), shape(at("19:00"), 61)], DAY, ZURICH, ELSEWHERE_MS)
    assert early.hours == range(6, 21)


def test_line_of_now_stands_on_todays_axis_alone_and_is_in_view() -> None:
    axis = lay_out_day([], DAY, ZURICH, at("21:37"))
    assert axis.now == AxisTime(21, 7)
    assert 21 in axis.hours
    assert lay_out_day([], DAY, ZURICH, at("21:37") + DAY_MS).now is None


def test_more_than_fit_side_by_side_are_counted() -> None:
    axis = lay_out_day([shape(at("09:00"), 60)] * (MOST_LANES + 2), DAY, ZURICH, ELSEWHERE_MS)
    assert len(axis.blocks) == MOST_LANES
    assert {block.lanes for block in axis.blocks} == {MOST_LANES}
    assert axis.left_out == 2


@pytest.mark.parametrize(("day", "begins"), [(date(2026, 3, 29), "01:30"), (date(2026, 10, 25), "02:30")])
def test_days_on_which_the_clocks_change_have_their_meetings(day: date, begins: str) -> None:
    [block] = lay_out_day([shape(at(begins, day=day), 60)], day, ZURICH, ELSEWHERE_MS).blocks
    assert block.ends_min - block.begins_min >= SHORTEST_MIN


@given(st.lists(st.tuples(st.integers(0, 1400), st.integers(0, 600)), max_size=30))
def test_no_two_blocks_lie_upon_each_other_and_all_are_within_the_day(found: list[tuple[int, int]]) -> None:
    items = [shape(at("00:00") + start * MINUTE_MS, minutes) for start, minutes in found]
    axis = lay_out_day(items, DAY, ZURICH, ELSEWHERE_MS)
    for block in axis.blocks:
        assert 0 <= block.begins_min < block.ends_min <= DAY_MIN
        assert block.ends_min - block.begins_min >= SHORTEST_MIN
        assert block.lane < block.lanes <= MOST_LANES
        assert {block.begins.hour, (block.ends_min - 1) // HOUR_MIN} <= set(axis.hours)
    for one in axis.blocks:
        for other in axis.blocks:
            if one.number < other.number and one.begins_min < other.ends_min and other.begins_min < one.ends_min:
                assert one.lane != other.lane
                assert one.lanes == other.lanes
    assert len(axis.blocks) + axis.left_out == len(items)


def test_every_position_has_its_rule_in_the_style_sheet() -> None:
    rules = set(re.findall(r"^\.([a-z]+-[hm]?\d+) |(?<=\} )\.([a-z]+-[hm]?\d+) ", STYLES.read_text(), re.MULTILINE))
    known = {one or other for one, other in rules}
    hours, steps = range(HOUR_MIN * 24 // HOUR_MIN), range(12)
    assert known == {
        *(f"from-h{hour}" for hour in hours), *(f"to-h{hour}" for hour in (*hours, 24)),
        *(f"{end}-m{step}" for end in ("from", "to") for step in steps),
        *(f"lane-{lane}" for lane in range(MOST_LANES)), *(f"lanes-{lanes + 1}" for lanes in range(MOST_LANES)),
    }  # fmt: skip


@pytest.mark.parametrize(("first_day", "begins"), [(0, date(2026, 11, 23)), (6, date(2026, 11, 22))])
def test_week_of_a_day_begins_on_the_first_day_of_weeks(first_day: int, begins: date) -> None:
    assert week_of(DAY, first_day) == begins
    assert week_of(begins, first_day) == begins
