"""What has to be told to somebody who knows how it was before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from services.portal.meetings.deciding.board import (
    Board,
    PromptClosed,
    PromptOpened,
    RoomChanged,
    build_board,
    changes,
    closings,
    due_ms,
    snapshot,
)
from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import MeetingState, RoomMemory, from_version_1
from shared.crypto.meetings import StoredMeeting
from shared.domain.keys import TenantKeys
from shared.meetings.prompts import Closing, Viewer, view_meeting
from tests.support.remembered_meetings import HOUR_MS, NOW_MS, START_MS, VOICE

Look = Callable[..., Board]


@pytest.fixture
def look(keys: TenantKeys, a_meeting: Callable[..., MeetingState]) -> Look:
    """The voice's board of one meeting with these rooms."""

    def build(*rooms: RoomMemory, now_ms: int = NOW_MS) -> Board:
        return build_board(
            [view_meeting(StoredMeeting(*from_version_1(a_meeting(*rooms))), keys, Viewer(VOICE, now_ms, 0))]
        )

    return build


def test_nothing_is_told_when_nothing_changed(look: Look, a_room: Callable[..., RoomMemory]) -> None:
    board = look(a_room(state=RoomState.DECLINED), a_room("r-two"))

    assert list(changes(board, board)) == []


@pytest.mark.proves("E43")
def test_open_prompt_is_told_once_however_often_its_meeting_changes(
    look: Look, a_room: Callable[..., RoomMemory]
) -> None:
    pending, declined = a_room(), a_room(state=RoomState.DECLINED)
    second = a_room("r-two", RoomState.DECLINED, asked_at_ms=NOW_MS - 90_000)
    boards = [Board(), look(pending), look(declined), look(declined, second)]

    told = [
        change.prompt.id
        for before, after in pairwise(boards)
        for change in changes(before, after)
        if isinstance(change, PromptOpened)
    ]

    assert told == [declined.decline_id, second.decline_id]


def test_rooms_are_told_before_the_prompt_that_follows_from_them(look: Look, a_room: Callable[..., RoomMemory]) -> None:
    kinds = [type(change) for change in snapshot(look(a_room(state=RoomState.DECLINED)))]

    assert kinds == [RoomChanged, PromptOpened]


@pytest.mark.proves("D8")
def test_prompt_that_closes_or_goes_is_told_with_its_reason(look: Look, a_room: Callable[..., RoomMemory]) -> None:
    declined = a_room(state=RoomState.DECLINED)
    before = look(declined)

    def closings(after: Board) -> list[Closing | None]:
        return [change.prompt.closing for change in changes(before, after) if isinstance(change, PromptClosed)]

    assert closings(look(declined, now_ms=START_MS + HOUR_MS)) == [Closing.PAST]
    assert closings(Board()) == [Closing.CANCELLED]
    assert closings(look(a_room(state=RoomState.ACCEPTED, declines=1))) == [Closing.ACCEPTED]


def test_line_that_went_is_told_as_gone(look: Look, a_room: Callable[..., RoomMemory]) -> None:
    [change] = changes(look(a_room()), Board())

    assert isinstance(change, RoomChanged)
    assert change.line.state is RoomState.GONE


def test_every_closed_prompt_is_named_to_whoever_may_have_seen_it_open(
    look: Look, a_room: Callable[..., RoomMemory]
) -> None:
    board = look(a_room(state=RoomState.ACCEPTED, declines=2), a_room("r-two", RoomState.DECLINED))

    assert len(list(closings(board))) == 2


def test_a_board_without_prompts_is_due_when_the_first_of_its_meetings_ends(
    look: Look, a_room: Callable[..., RoomMemory]
) -> None:
    rooms = a_room(), a_room("r-two", RoomState.ACCEPTED)
    board = look(*rooms)
    first_end_ms = min(line.end_ms for line in board.rooms.values())

    assert due_ms(board, NOW_MS) == first_end_ms
    assert look(*rooms, now_ms=first_end_ms - 1) == board, "nothing changes before"
    assert look(*rooms, now_ms=first_end_ms) != board
    assert due_ms(Board(), NOW_MS) is None


def test_a_board_is_due_at_every_moment_while_a_prompt_may_be_put_away(
    look: Look, a_room: Callable[..., RoomMemory]
) -> None:
    assert due_ms(look(a_room(state=RoomState.DECLINED)), NOW_MS) == NOW_MS
