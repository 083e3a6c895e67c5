"""What filters ask of rooms, what they can be set to, and what is offered where nothing is free that is as they ask."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from werkzeug.datastructures import MultiDict

from services.portal.frame.problems import ProblemError
from services.portal.meetings.deciding.choices import MAX_CANDIDATES, Choices, NoChoice, find_free, rank_rooms
from services.portal.meetings.deciding.filter_form import read_filter
from services.portal.meetings.deciding.room_filter import (
    MAX_OPTIONS,
    NO_FILTER,
    Condition,
    RoomFilter,
    Widening,
    list_options,
)
from shared.contracts.rows import RoomRow
from shared.domain.sighting import Availability

ASKED = RoomFilter("North", "4", 8, ("Screen", "Phone"), accessible=True)


def a_room(
    name: str = "a",
    building: str = "North",
    floor: str = "4",
    capacity: int = 8,
    equipment: Sequence[str] = ("Screen", "Phone"),
    *,
    accessible: bool | None = True,
) -> RoomRow:
    return RoomRow(
        address=f"{name}@rooms.test",
        name=name,
        capacity=capacity,
        building=building,
        floor=floor,
        equipment=tuple(equipment),
        accessible=accessible,
    )


class FreeBusy:
    """Says which rooms are free, and remembers what it was asked."""

    def __init__(self, *free: str) -> None:
        self.free = free
        self.asked: list[list[str]] = []

    def __call__(self, addresses: Sequence[str]) -> dict[str, Availability]:
        names = [each.partition("@")[0] for each in addresses]
        self.asked.append(names)
        return {
            each: Availability.FREE if name in self.free else Availability.BUSY
            for each, name in zip(addresses, names, strict=True)
        }


def found(wanted: RoomFilter, said: FreeBusy, *rooms: RoomRow) -> Choices:
    return find_free(rank_rooms({each.name: each for each in rooms}, "", (), people=2), wanted, said)


@pytest.mark.parametrize(
    ("room", "missed"),
    [
        (a_room(), ()),
        (a_room(building="NORTH", equipment=("phone", "SCREEN", "Board")), ()),
        (a_room(building="South"), (Condition.BUILDING,)),
        (a_room(floor="40"), (Condition.FLOOR,)),
        (a_room(capacity=7), (Condition.SEATS,)),
        (a_room(capacity=0), (Condition.SEATS,)),
        (a_room(equipment=("Screen",)), (Condition.EQUIPMENT,)),
        (a_room(accessible=None), (Condition.ACCESSIBLE,)),
        (a_room(accessible=False, equipment=()), (Condition.EQUIPMENT, Condition.ACCESSIBLE)),
    ],
)
def test_room_has_to_be_all_that_is_asked_and_to_be_known_to_be_it(
    room: RoomRow, missed: tuple[Condition, ...]
) -> None:
    assert ASKED.find_missed(room) == missed
    assert NO_FILTER.find_missed(room) == ()


def test_rooms_are_filtered_before_the_twenty_are_chosen_that_are_asked_about() -> None:
    near = [a_room(f"n{n}", capacity=2) for n in range(3 * MAX_CANDIDATES)]
    said = FreeBusy("far")

    offered = found(RoomFilter(building="South"), said, *near, a_room("far", building="South", capacity=90))

    assert [each.id for each in offered.rooms] == ["far"]
    assert said.asked == [["far"]]


@pytest.mark.proves("D8")
def test_where_nothing_free_is_as_asked_it_says_which_filter_to_leave_out() -> None:
    rooms = (
        a_room("busy"),
        a_room("upstairs", floor="5"),
        a_room("roof", floor="6"),
        a_room("bare", equipment=()),
        a_room("far", building="South", floor="1"),
    )

    offered = found(ASKED, FreeBusy("upstairs", "roof", "bare", "far"), *rooms)

    assert (offered.rooms, offered.empty) == ((), NoChoice.NONE_FREE)
    assert offered.words == "None of the rooms that match your filters is free at that time."
    assert [each.words for each in offered.wider] == [
        "Without “Floor”, 2 rooms are free.",
        "Without “Equipment”, 1 room is free.",
    ]
    assert offered.wider[0].left.query == "building=North&seats=8&equipment=Screen&equipment=Phone&accessible=1"


def test_where_no_single_filter_is_in_the_way_all_of_them_are() -> None:
    offered = found(ASKED, FreeBusy("far"), a_room("far", building="South", floor="1"))

    assert (offered.empty, offered.words) == (
        NoChoice.NONE_MATCHES,
        "No room that is large enough matches your filters.",
    )
    assert offered.wider == (Widening(ASKED.conditions, 1, NO_FILTER),)
    assert offered.wider[0].words == "Without any filter, 1 room is free."


def test_where_nothing_else_is_free_either_it_says_so() -> None:
    said = FreeBusy()

    offered = found(ASKED, said, a_room("busy"), a_room("far", building="South"))

    assert offered.wider == ()
    assert offered.words.endswith("No other room is known to be free then. You could move the meeting.")
    assert said.asked == [["busy"], ["far"]]


def test_nobody_is_asked_twice_without_a_filter_or_where_something_was_found() -> None:
    for wanted, free in ((NO_FILTER, ()), (RoomFilter(floor="4"), ("a",))):
        said = FreeBusy(*free)
        found(wanted, said, a_room("a"), a_room("b", floor="5"))
        assert len(said.asked) == 1


def test_options_are_what_the_rooms_have_once_each_and_floors_those_of_the_building() -> None:
    rooms = [
        a_room(building="North", floor="10", equipment=("Screen",)),
        a_room(building="North", floor="2", equipment=("screen", "Board")),
        a_room(building="", floor="", equipment=(), accessible=None),
        a_room(building="South", floor="Garden", equipment=()),
    ]

    options = list_options(rooms, NO_FILTER)

    assert (options.buildings, options.floors, options.equipment) == (
        ["North", "South"],
        ["2", "10", "Garden"],
        ["Board", "Screen"],
    )
    assert options.accessible
    assert list_options(rooms, RoomFilter(building="south")).floors == ["Garden"]
    assert len(list_options([a_room(building=f"b{n}") for n in range(2 * MAX_OPTIONS)], NO_FILTER).buildings) == (
        MAX_OPTIONS
    )


def test_filters_are_read_out_of_an_address_and_written_into_one_again() -> None:
    sent = MultiDict([("building", " North "), ("equipment", "Screen"), ("equipment", ""), ("equipment", "Phone")])

    wanted = read_filter(sent | MultiDict([("floor", "4"), ("seats", "8"), ("accessible", "1")]))

    assert wanted == ASKED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seats", "many"),
        ("seats", "-1"),
        ("accessible", "perhaps"),
        ("building", "x" * 121),
        ("equipment", "x" * 61),
        ("equipment", "a\x07b"),
    ],
)
def test_filter_that_cannot_be_used_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ProblemError) as refused:
        read_filter(MultiDict([(name, value)]))

    assert (refused.value.status, refused.value.code) == (422, "filter-invalid")
    assert refused.value.next_step
