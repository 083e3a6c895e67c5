"""Times near a wanted one: to come, in office hours, with a room, and never where the person is busy."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.meetings.deciding.choices import Doubt, RoomCandidate, group_by_building
from services.portal.meetings.deciding.free_times import (
    MOST_TIMES,
    OFFICE_HOURS,
    WORKING_DAYS,
    busy_times_of,
    days_to_look_at,
    find_nearest,
    hours_of,
    office_times,
    overlaps,
)
from shared.contracts.rows import RoomRow
from shared.domain.instants import HOUR_MS, MINUTE_MS, from_datetime
from shared.domain.sighting import AgendaItem, Window

ZURICH, LIMA = ZoneInfo("Europe/Zurich"), ZoneInfo("America/Lima")


def at(text: str, zone: ZoneInfo = ZURICH) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone))


def hour_from(text: str) -> Window:
    return Window(at(text), at(text) + HOUR_MS)


def room(name: str, building: str = "", doubt: Doubt | None = None) -> RoomCandidate:
    row = RoomRow(address=f"{name}@Rooms.test", name=name, building=building)
    return RoomCandidate(name, row, same_building=False, same_floor=False, doubt=doubt)


def clocks(found: tuple[Any, ...]) -> list[str]:
    return [f"{datetime.fromtimestamp(each.time.start_ms / 1000, tz=ZURICH):%a %H:%M}" for each in found]


TUESDAY = "2026-12-01T09:00"
NOW = at("2026-11-30T07:00")
DAYS = days_to_look_at(at(TUESDAY), NOW, ZURICH)


def nearest(
    said: dict[str, list[Window] | None], own: tuple[Window, ...] = (), rooms: tuple[str, ...] = ("one",)
) -> Any:
    times = office_times(DAYS, HOUR_MS, NOW, ZURICH)
    ranked = [room(name) for name in rooms]
    return find_nearest(ranked, {f"{name}@rooms.test": busy for name, busy in said.items()}, own, times, at(TUESDAY))


@pytest.mark.proves("E43")
def test_three_nearest_times_are_found_each_with_the_best_room_that_is_free_then() -> None:
    said: dict[str, list[Window] | None] = {
        "one": [Window(at(TUESDAY), at("2026-12-01T12:00"))],
        "two": [hour_from(TUESDAY)],
    }
    found = nearest(said, rooms=("one", "two"))
    assert clocks(found) == ["Tue 08:00", "Tue 10:00", "Tue 10:30"]
    assert [each.room.id for each in found] == ["one", "two", "two"]


def test_nearest_is_what_is_least_earlier_or_later_than_the_wanted_time() -> None:
    wanted = hour_from("2026-12-01T15:00")
    times = office_times(DAYS, HOUR_MS, NOW, ZURICH)
    found = find_nearest([room("one")], {"one@rooms.test": [wanted]}, (), times, wanted.start_ms)
    assert clocks(found) == ["Tue 14:00", "Tue 16:00", "Tue 13:30"]


def test_no_time_is_found_where_the_person_is_busy_or_what_a_room_does_is_not_known() -> None:
    own = (Window(at("2026-12-01T08:00"), at("2026-12-01T17:00")),)
    assert clocks(nearest({"one": []}, own))[0] == "Tue 17:00"
    assert nearest({"one": None}) == ()
    assert nearest({}) == ()


def test_nothing_past_and_nothing_at_a_weekend_or_by_night_is_proposed() -> None:
    friday = at("2026-12-04T16:10")
    days = days_to_look_at(friday, friday, ZURICH)
    assert days[:2] == (date(2026, 12, 4), date(2026, 12, 7))
    assert len(days) == WORKING_DAYS
    times = office_times(days, HOUR_MS, friday, ZURICH)
    assert [datetime.fromtimestamp(each.start_ms / 1000, tz=ZURICH).isoformat()[:16] for each in times[:3]] == [
        "2026-12-04T16:30", "2026-12-04T17:00", "2026-12-07T08:00",
    ]  # fmt: skip
    assert hours_of(days, ZURICH).end_ms == times[-1].end_ms
    assert days_to_look_at(at("2026-11-02T09:00"), friday, ZURICH) == days


def test_a_meeting_longer_than_office_hours_has_no_time() -> None:
    assert office_times(DAYS, 11 * HOUR_MS, NOW, ZURICH) == []


def test_what_was_declined_what_lasts_all_day_and_the_meeting_itself_are_in_nobodys_way() -> None:
    def item(name: str, **more: Any) -> AgendaItem:
        fields: dict[str, Any] = {
            "uid": "", "slot": "", "title": "", "start_ms": 0, "end_ms": 1, "all_day": False, "private": False,
            "declined": False, "is_organizer": True, "attendees": (),
        }  # fmt: skip
        return AgendaItem(event_id=name, **{**fields, **more})

    items = [item("own"), item("no", declined=True), item("day", all_day=True), item("busy", start_ms=5, end_ms=6)]
    assert busy_times_of(items, "own") == [Window(5, 6)]
    assert len(busy_times_of(items)) == 2


spans = st.lists(
    st.tuples(st.integers(0, 7 * 24 * 60), st.integers(1, 600)).map(
        lambda each: Window(NOW + each[0] * MINUTE_MS, NOW + (each[0] + each[1]) * MINUTE_MS)
    ),
    max_size=12,
)


@given(spans, spans, st.sampled_from([ZURICH, LIMA]), st.integers(1, 16))
def test_whatever_is_found_is_free_for_both_to_come_and_in_office_hours(
    rooms: list[Window], own: list[Window], zone: ZoneInfo, quarters: int
) -> None:
    length_ms = quarters * 15 * MINUTE_MS
    days = days_to_look_at(at(TUESDAY), NOW, zone)
    times = office_times(days, length_ms, NOW, zone)
    found = find_nearest([room("one")], {"one@rooms.test": rooms}, own, times, at(TUESDAY))
    assert len(found) <= MOST_TIMES
    for each in found:
        start, end = (datetime.fromtimestamp(ms / 1000, tz=zone) for ms in (each.time.start_ms, each.time.end_ms))
        assert each.time.start_ms > NOW
        assert not overlaps(each.time, [*rooms, *own])
        assert start.weekday() < 5
        assert start.date() == end.date()
        assert OFFICE_HOURS.start <= start.hour
        assert (end.hour, end.minute) <= (OFFICE_HOURS.stop, 0)


def test_rooms_are_grouped_by_building_in_the_order_of_the_best_of_each() -> None:
    rooms = [room("a", "North"), room("b"), room("c", "South"), room("d", "North")]
    assert [(name, [each.id for each in found]) for name, found in group_by_building(rooms)] == [
        ("North", ["a", "d"]), ("", ["b"]), ("South", ["c"]),
    ]  # fmt: skip
