"""A room's day as a strip: days of 23 and 25 hours, times over midnight, and what is not held."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.portal.admin.rooms.deciding.day_strip import FOOT, HEIGHT, WIDTH, lay_out_day
from services.portal.admin.rooms.deciding.floors import Floor, choose_floor, list_floors
from shared.contracts.meeting_state import RoomRecord, RoomState
from shared.contracts.rows import RoomRow
from shared.domain.instants import HOUR_MS, from_datetime

ZURICH = ZoneInfo("Europe/Zurich")
DAY = date(2026, 12, 1)


def at(hour: float, day: date = DAY) -> int:
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=ZURICH)) + int(hour * HOUR_MS)


def asked(start_ms: int, end_ms: int, state: RoomState = RoomState.ACCEPTED) -> RoomRecord:
    return RoomRecord(room="r-1", state=state, start_ms=start_ms, end_ms=end_ms, asked_at_ms=0, since_ms=0)


@pytest.mark.proves("P7")
def test_a_day_shows_what_is_held_and_asked_for_and_at_its_foot_what_was_declined() -> None:
    records = [
        asked(at(12), at(18)),
        asked(at(6), at(9), RoomState.PENDING),
        asked(at(6), at(9), RoomState.DECLINED),
        asked(at(1), at(2), RoomState.GONE),
        asked(at(30), at(31)),
    ]
    it = lay_out_day(DAY, ZURICH, records, at(12))
    drawn = {each.state: (each.x, each.width, each.y + each.height) for each in it.slots}
    ground = HEIGHT - FOOT
    assert drawn == {
        RoomState.ACCEPTED: (WIDTH / 2, WIDTH / 4, ground),
        RoomState.PENDING: (WIDTH / 4, WIDTH / 8, ground),
        RoomState.DECLINED: (WIDTH / 4, WIDTH / 8, ground),
    }
    assert {each.height for each in it.slots if each.state is not RoomState.DECLINED} == {ground}
    assert {each.height for each in it.slots if each.state is RoomState.DECLINED} == {ground / 3}
    assert it.now == WIDTH / 2
    assert [each.start for each in it.times] == sorted(each.start for each in it.times)
    assert [each.text for each in it.hours] == ["00", "03", "06", "09", "12", "15", "18", "21"]
    assert lay_out_day(DAY + timedelta(days=9), ZURICH, records, at(12)).now is None


@pytest.mark.proves("P7")
@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (DAY, 24), (date(2026, 10, 25), 25)])
def test_a_time_beyond_midnight_is_cut_and_a_day_is_as_long_as_its_clocks_say(day: date, hours: int) -> None:
    whole = lay_out_day(day, ZURICH, [asked(at(-24, day), at(72, day))], 0)
    assert [(each.x, each.width) for each in whole.slots] == [(0, WIDTH)]
    assert [each.all_day for each in whole.times] == [True]
    last = lay_out_day(day, ZURICH, [asked(at(hours - 1, day), at(hours + 5, day))], 0)
    [slot] = last.slots
    assert (slot.x + slot.width, slot.width) == (WIDTH, pytest.approx(WIDTH / hours, abs=0.2))
    assert not last.times[0].all_day
    assert lay_out_day(day, ZURICH, [asked(at(hours, day), at(hours + 1, day))], 0).slots == []


@pytest.mark.proves("P7")
def test_floors_are_named_once_and_a_name_that_is_none_leads_to_the_first() -> None:
    rooms = [
        RoomRow(address=f"{number}@x.test", name="A", building=building, floor=floor)
        for number, (building, floor) in enumerate([("B/1", "2"), ("B/1", "2"), ("B", "1/2"), ("", "3"), ("", "")])
    ]
    floors = list_floors(rooms)
    assert [each.words for each in floors] == [
        "B/1, floor 2",
        "B, floor 1/2",
        "Floor 3",
        "Rooms whose place is not said",
    ]
    assert len({each.name for each in floors}) == 4
    assert [choose_floor(floors, each.name) for each in floors] == list(floors)
    assert choose_floor(floors, "elsewhere/9") == Floor("B/1", "2")
    assert choose_floor([], "") is None
