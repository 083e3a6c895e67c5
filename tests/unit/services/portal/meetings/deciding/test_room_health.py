"""What an administrator is told of a room follows from its answers and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from services.portal.admin.rooms.deciding.room_form import read_room
from services.portal.frame.problems import ProblemError
from services.portal.meetings.deciding.health import RoomCheck, health_of, span_words
from shared.contracts.meeting_state import RoomRecord, RoomState
from shared.domain.sighting import Availability

NOW_MS = 1_800_000_000_000
SILENT_MS = 600_000


def asked(state: RoomState, *, ago_ms: int = 5_000, took_ms: int = 4_000) -> RoomRecord:
    at_ms = NOW_MS - ago_ms
    return RoomRecord(
        room="r", state=state, start_ms=NOW_MS, end_ms=NOW_MS + 1, asked_at_ms=at_ms,
        since_ms=at_ms + took_ms,
    )  # fmt: skip


def judged(*memories: RoomRecord, said: Availability | None = Availability.FREE) -> Any:
    return health_of(memories, said, now_ms=NOW_MS, silent_ms=SILENT_MS)


@pytest.mark.proves("B15")
def test_a_room_nobody_has_asked_is_untried_and_not_in_trouble() -> None:
    found = judged(said=None)
    assert (found.visible, found.bookable, found.answers) == (RoomCheck.UNTRIED,) * 3
    assert found.well
    assert found.usual_answer_ms is None


@pytest.mark.proves("B15")
def test_a_room_that_accepts_is_well_and_its_usual_time_is_the_median() -> None:
    found = judged(*(asked(RoomState.ACCEPTED, took_ms=took) for took in (2_000, 4_000, 90_000)))
    assert (found.bookable, found.answers, found.usual_answer_ms) == (RoomCheck.YES, RoomCheck.YES, 4_000)
    assert found.well


@pytest.mark.proves("B15", "B7")
def test_many_bookings_of_a_silent_room_are_one_finding() -> None:
    found = judged(*(asked(RoomState.PENDING, ago_ms=SILENT_MS + 1) for _ in range(7)))
    assert found.answers is RoomCheck.NO
    assert len(found.fixes) == 1
    assert "7 requests" in found.fixes[0]


def test_a_room_that_is_still_thinking_is_not_silent_yet() -> None:
    assert judged(asked(RoomState.PENDING, ago_ms=SILENT_MS)).answers is RoomCheck.UNTRIED


@pytest.mark.proves("B15")
def test_three_declines_and_no_acceptance_say_that_it_cannot_be_booked() -> None:
    assert judged(asked(RoomState.DECLINED), asked(RoomState.DECLINED)).bookable is RoomCheck.UNTRIED
    found = judged(*(asked(RoomState.DECLINED) for _ in range(3)))
    assert found.bookable is RoomCheck.NO
    assert "booking rules" in found.fixes[0]


@pytest.mark.proves("B15")
def test_a_room_whose_calendar_nobody_may_see_is_told_apart_from_one_nobody_asked_about() -> None:
    assert judged(said=Availability.UNKNOWN).visible is RoomCheck.NO
    assert judged(said=Availability.BUSY).visible is RoomCheck.YES
    assert "address" in judged(said=Availability.UNKNOWN).fixes[0]


def test_answers_that_stood_when_first_seen_say_nothing_of_how_long_they_took() -> None:
    assert judged(asked(RoomState.ACCEPTED, took_ms=0)).usual_answer_ms is None


@pytest.mark.parametrize(
    ("span_ms", "words"),
    [
        (400, "1 s"),
        (4_000, "4 s"),
        (540_000, "9 min"),
        (7_200_000, "2 h"),
        (86_400_000, "1 day"),
        (260_000_000, "3 days"),
    ],
)
def test_spans_are_said_in_the_largest_whole_unit(span_ms: int, words: str) -> None:
    assert span_words(span_ms) == words


def test_an_entered_room_is_trimmed_lower_cased_and_named_after_its_address_if_need_be() -> None:
    row = read_room({"address": " Aare@Rooms.Example ", "capacity": "8", "floor": " 4 "})
    assert (row.address, row.name, row.capacity, row.floor) == ("aare@rooms.example", "aare", 8, "4")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"address": "no address"},
        {"address": "a@b"},
        {"address": "a@b.c, d@e.f"},
        {"address": "a@b.example", "capacity": "-1"},
        {"address": "a@b.example", "capacity": "many"},
        {"address": "a@b.example", "capacity": True},
        {"address": "a@b.example", "capacity": 10_001},
        {"address": "a@b.example", "name": "x" * 121},
        {"address": "a@b.example", "name": "two\nlines"},
    ],
)
def test_what_cannot_be_a_room_is_refused_by_field(sent: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as refused:
        read_room(sent)
    assert refused.value.code == "room-invalid"
    assert refused.value.next_step.startswith("Enter ")
