"""Which dates a look no longer shows, and what is said of a room that was asked a moment ago."""

from __future__ import annotations

import dataclasses

import pytest

from services.portal.my_day.deciding.room_states import room_state_of
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.references import reference_of
from services.sync_worker.looking.own_data import find_missing_dates
from shared.contracts.meeting_state import RoomState
from shared.domain.instants import HOUR_MS
from shared.domain.sighting import AgendaItem, EventKind, LiveAttendee, Look, Seen, SeenEvent, SeenRemoval
from tests.support.builders import KEYS, START_MS

DATE = SeenEvent(
    event_id="e1", uid="uid", kind=EventKind.OCCURRENCE, master_id="", slot="s1", start_ms=START_MS,
    end_ms=START_MS + HOUR_MS, cancelled=False, is_organizer=True, organizer="", shows_guests=True, attendees=(),
    version="1",
)  # fmt: skip
KNOWN = {"e1": reference_of(DATE, provider="google", keys=KEYS, rooms=ListedRooms())}


def gone(*seen: Seen, full: bool = False) -> list[tuple[str, bool]]:
    return [(each.event_id, each.said) for each in find_missing_dates(KNOWN, Look(seen, "", full), "google", KEYS)]


@pytest.mark.proves("E34")
def test_date_is_missing_when_it_is_cancelled_removed_or_left_out_of_a_full_look() -> None:
    assert gone(dataclasses.replace(DATE, cancelled=True)) == [("e1", True)]
    assert gone(SeenRemoval("e1")) == [("e1", False)]
    assert gone(full=True) == [("e1", False)]
    assert gone(SeenRemoval("e2")) == []
    assert gone() == []


@pytest.mark.proves("E34")
def test_date_that_moved_or_stands_under_another_id_is_not_missing() -> None:
    moved = dataclasses.replace(DATE, start_ms=START_MS + HOUR_MS, end_ms=START_MS + 2 * HOUR_MS)
    assert gone(moved, full=True) == []
    assert gone(dataclasses.replace(DATE, cancelled=True), dataclasses.replace(moved, event_id="e9")) == []


@pytest.mark.proves("E42")
@pytest.mark.parametrize(
    ("answer", "organizes", "state"),
    [
        ("none", True, RoomState.PENDING),
        ("tentative", True, RoomState.PENDING),
        ("unknown", True, RoomState.PENDING),
        ("accepted", True, RoomState.ACCEPTED),
        ("declined", True, RoomState.DECLINED),
        ("accepted", False, RoomState.UNKNOWN),
    ],
)
def test_room_that_nobody_has_looked_at_is_pending_until_the_organisers_copy_says_more(
    answer: str, organizes: bool, state: RoomState
) -> None:
    item = AgendaItem(
        event_id="e", uid="u", slot="", title="", start_ms=0, end_ms=1, all_day=False, private=False, declined=False,
        is_organizer=organizes, attendees=(),
    )  # fmt: skip
    assert room_state_of(item, LiveAttendee("", "aare@rooms.test", is_room=True, answer=answer)) is state
