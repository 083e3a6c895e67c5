"""The campaign's judge sees what it is for: decisions that are missing, orders that differ, pages that know too much."""

from __future__ import annotations

from dataclasses import replace

from tests.chaos.agreement import ahead_of_the_log, asked, missing_decisions, room_order, wrong_ends
from tests.chaos.employees import Line
from tests.chaos.topic_records import PublishedDecline, PublishedRoomState

TOLD = PublishedDecline(0, 1, "id", "t", "m", "o", "r", "ask-1", 0, "p-ada", "microsoft", "2026-11-21T10:00:00Z")
STATE = PublishedRoomState("t", "m", "o", "r", "declined", "ask-1", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z")
LINE = Line("Planning", "Aare", "declined", "t", "m", "o", "r", "2026-11-21T10:00:00Z")


def turned(ask: str, minute: int, state: str = "declined") -> PublishedRoomState:
    return replace(STATE, ask=ask, state=state, since=f"2026-11-21T10:{minute:02}:00Z")


def test_decline_that_the_state_remembers_and_nobody_can_read_is_missing() -> None:
    assert missing_decisions([TOLD], {asked(TOLD): 1}) == []
    assert len(missing_decisions([TOLD], {asked(TOLD): 2})) == 1
    assert len(missing_decisions([], {asked(TOLD): 1})) == 1


def test_decline_has_ended_once_or_is_open() -> None:
    assert wrong_ends(["d-1", "d-2"], ["d-1"], {"d-2"}) == []
    assert len(wrong_ends(["d-1"], ["d-1", "d-1"], ())) == 1
    assert len(wrong_ends(["d-1"], ["d-1", "d-invented"], ())) == 1
    assert len(wrong_ends(["d-1"], [], ())) == 1
    assert len(wrong_ends(["d-1"], ["d-1"], {"d-1"})) == 1


def test_declines_are_told_in_the_order_in_which_their_states_turned() -> None:
    told = [replace(TOLD, ask=ask) for ask in ("ask-1", "ask-2")]
    assert room_order(told, [turned("ask-1", 0), turned("ask-2", 1)]) == []
    assert len(room_order(told, [turned("ask-2", 0), turned("ask-1", 1)])) == 1
    assert len(room_order([], [turned("ask-1", 0)])) == 1


def test_states_that_compaction_took_or_that_a_torn_owner_wrote_twice_are_no_disorder() -> None:
    told = [replace(TOLD, ask=ask) for ask in ("ask-1", "ask-2")]
    assert room_order(told, [turned("ask-2", 1)]) == []
    assert room_order([TOLD], [STATE, STATE, turned("ask-1", 2, "accepted")]) == []


def test_page_may_be_behind_the_log_and_never_ahead_of_it() -> None:
    assert ahead_of_the_log([LINE], [STATE]) == []
    assert ahead_of_the_log([LINE], [turned("ask-1", 5, "accepted")]) == [], "it is behind, and its record compacted"
    assert len(ahead_of_the_log([LINE], [])) == 1
    assert len(ahead_of_the_log([LINE], [replace(STATE, state="pending")])) == 1
    assert len(ahead_of_the_log([replace(LINE, since="2026-11-21T10:07:00Z")], [STATE])) == 1
