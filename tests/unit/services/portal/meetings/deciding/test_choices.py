"""Which rooms are offered instead, in which order, and what is said when there is none."""

from __future__ import annotations

import pytest

from services.portal.meetings.deciding.choices import MAX_CANDIDATES, Doubt, NoChoice, find_doubts, free, rank_rooms
from services.portal.meetings.deciding.health import Health, health_of
from shared.contracts.meeting_state import RoomRecord, RoomState
from shared.contracts.rows import RoomRow
from shared.domain.sighting import Availability
from shared.meetings.prompts import RoomLine


def a_room(name: str, capacity: int = 8, building: str = "North", floor: str = "1") -> RoomRow:
    return RoomRow(address=f"{name}@Rooms.example", name=name, capacity=capacity, building=building, floor=floor)


DECLINED = a_room("declined")


def test_nearest_come_first_by_building_then_floor_then_fit() -> None:
    rooms = {
        "declined": DECLINED,
        "far": a_room("far", building="South"),
        "upstairs": a_room("upstairs", floor="2"),
        "large": a_room("large", capacity=20),
        "fits": a_room("fits", capacity=4),
        "unsized": a_room("unsized", capacity=0),
    }

    ranked, empty = rank_rooms(rooms, "declined", frozenset({"declined"}), people=4).select()

    assert [each.id for each in ranked] == ["fits", "large", "unsized", "upstairs", "far"]
    assert empty is None


def test_rooms_that_are_too_small_or_already_asked_are_left_out() -> None:
    rooms = {"declined": DECLINED, "small": a_room("small", 3), "asked": a_room("asked"), "left": a_room("left", 4)}

    ranked, _ = rank_rooms(rooms, "declined", frozenset({"declined", "asked"}), people=4).select()

    assert [each.id for each in ranked] == ["left"]


def test_no_more_candidates_than_one_free_busy_call_takes() -> None:
    rooms = {f"r{n}": a_room(f"r{n}") for n in range(50)}

    assert len(rank_rooms(rooms, "declined", (), people=2).select()[0]) == MAX_CANDIDATES


def test_room_that_is_not_in_the_table_can_be_replaced_all_the_same() -> None:
    assert [each.id for each in rank_rooms({"one": a_room("one")}, "unlisted", (), people=2).rooms] == ["one"]


@pytest.mark.parametrize(
    ("rooms", "empty"),
    [({"declined": DECLINED}, NoChoice.NO_ROOMS), ({"small": a_room("small", 2)}, NoChoice.NONE_LARGE_ENOUGH)],
)
def test_says_why_there_is_nothing_to_ask_about(rooms: dict[str, RoomRow], empty: NoChoice) -> None:
    assert rank_rooms(rooms, "declined", (), people=4).select() == ((), empty)


def test_only_rooms_called_free_are_offered_and_unknown_is_not_free() -> None:
    ranked, _ = rank_rooms({name: a_room(name) for name in ("a", "b", "c")}, "", (), people=2).select()
    said = {"a@rooms.example": Availability.UNKNOWN, "b@rooms.example": Availability.FREE}

    assert [each.id for each in free(ranked, said).rooms] == ["b"]


@pytest.mark.parametrize(
    ("answer", "empty"), [(Availability.BUSY, NoChoice.NONE_FREE), (Availability.UNKNOWN, NoChoice.NOT_VISIBLE)]
)
def test_says_why_none_is_free(answer: Availability, empty: NoChoice) -> None:
    ranked, _ = rank_rooms({"a": a_room("a")}, "", (), people=2).select()

    assert free(ranked, {"a@rooms.example": answer}).empty is empty


@pytest.mark.proves("D8")
def test_room_of_which_there_is_a_doubt_comes_after_all_others_and_says_why() -> None:
    rooms = {name: a_room(name, building=building) for name, building in (("near", "North"), ("far", "South"))}
    doubts = {"near": Doubt.ALWAYS_DECLINES}

    ranked, _ = rank_rooms({"declined": DECLINED, **rooms}, "declined", (), people=4, doubts=doubts).select()

    assert [each.id for each in ranked] == ["far", "near"]
    assert ranked[1].reasons[0] == "has declined everybody so far"


def test_what_a_room_said_to_oneself_counts_before_what_it_said_to_others() -> None:
    def line(room: str, state: RoomState) -> RoomLine:
        return RoomLine("m", f"o-{room}-{state}", room, state, False, 0, 1, 0, 1, 0, "e", True, "microsoft")

    def health(state: RoomState, times: int) -> Health:
        asked = RoomRecord(room="x", state=state, start_ms=0, end_ms=1, asked_at_ms=0, since_ms=0)
        return health_of([asked] * times, None, now_ms=1_000, silent_ms=1)

    own = [line("a", RoomState.DECLINED), line("b", RoomState.DECLINED), line("b", RoomState.ACCEPTED)]
    known = {
        "a": health(RoomState.DECLINED, 3),
        "b": health(RoomState.ACCEPTED, 1),
        "c": health(RoomState.DECLINED, 3),
        "d": health(RoomState.PENDING, 1),
        "e": health(RoomState.DECLINED, 2),
    }

    assert find_doubts(own, known) == {
        "a": Doubt.DECLINED_YOU,
        "c": Doubt.ALWAYS_DECLINES,
        "d": Doubt.NEVER_ANSWERS,
    }
