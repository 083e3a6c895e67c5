"""Laws of counting declines: over any declines, the minute that holds the most decides, in whatever pieces they are read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.deciding.brake import (
    LEAST,
    QUIET_MS,
    WINDOW_MS,
    RoomAct,
    as_read,
    begin,
    go_on,
    in_window,
    is_incident,
    likely_cause,
    outgrown,
    quiet_at,
)
from shared.contracts.decline_incident import CauseKind, LikelyCause, OrganisationDecline
from shared.domain.instants import HOUR_MS, MINUTE_MS

NOW_MS = 1_795_000_000_000
pytestmark = pytest.mark.proves("B17")


def decline(number: int, at_ms: int, **said: str) -> OrganisationDecline:
    facts = {"room": f"r-{number % 7}", "organizer": f"p-{number % 5}", "provider": "google", **said}
    return OrganisationDecline(prompt=f"d-{number:04}", observed_at_ms=at_ms, **facts)


moments = st.lists(st.integers(0, 10 * MINUTE_MS).map(lambda each: NOW_MS + each), max_size=80)


def fullest(at: Sequence[int]) -> int:
    """How many lie within the fullest minute."""
    return max((sum(end - WINDOW_MS < each <= end for each in at) for end in at), default=0)


def read(at: Sequence[int], pieces: Sequence[int]) -> tuple[int, int]:
    """How many a window held at the most, and how many were kept at the most, when they are read in pieces."""
    kept: dict[str, OrganisationDecline] = {}
    most = held = done = 0
    for size in pieces:
        for number in range(done, min(done + size, len(at))):
            kept[f"d-{number:04}"] = as_read(decline(number, at[number]), at[number])
        done = min(done + size, len(at))
        window = in_window(kept.values())
        kept = {each.prompt: each for each in window}
        most, held = max(most, len(window)), max(held, len(kept))
    return most, held


@given(moments.map(sorted))
def test_read_one_by_one_the_fullest_minute_is_found(at: list[int]) -> None:
    assert read(at, [1] * len(at))[0] == fullest(at)


@given(moments.map(sorted), st.lists(st.integers(1, 9), min_size=80, max_size=80))
def test_read_in_pieces_no_more_are_kept_than_a_minute_holds(at: list[int], pieces: list[int]) -> None:
    most, held = read(at, pieces)
    assert most <= fullest(at)
    assert held <= fullest(at)


@given(st.integers(0, 2_000), st.integers(0, 40_000))
def test_an_incident_is_more_than_twenty_and_more_than_a_twentieth(count: int, upcoming: int) -> None:
    assert is_incident(count, upcoming) == (count > max(20, upcoming / 20))
    assert is_incident(count, upcoming) <= is_incident(count + 1, upcoming)
    assert is_incident(count, upcoming + 1) <= is_incident(count, upcoming)


@given(moments, st.integers(0, 20 * MINUTE_MS))
def test_what_is_outgrown_is_old_or_out_of_the_window_and_after_a_minute_it_is_all(
    at: list[int], later_ms: int
) -> None:
    declines = [as_read(decline(number, each), NOW_MS) for number, each in enumerate(at)]
    now_ms = NOW_MS + later_ms
    gone = outgrown(declines, now_ms)
    if later_ms >= WINDOW_MS:
        assert len(gone) == len(declines)
    else:
        assert {each.prompt for each in declines} - set(gone) == {each.prompt for each in in_window(declines)}


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 20 * MINUTE_MS)), max_size=10))
def test_it_lasts_fifteen_minutes_beyond_its_last_decline(more: list[tuple[int, int]]) -> None:
    found = [decline(number, NOW_MS) for number in range(LEAST + 1)]
    incident, now_ms = begin("i-1", found, 100, LikelyCause(kind=CauseKind.NONE), NOW_MS), NOW_MS
    for count, later_ms in more:
        now_ms += later_ms
        incident = go_on(incident, count, now_ms)
    assert quiet_at(incident) == now_ms + QUIET_MS
    assert incident.declines == len(found) + sum(count for count, _ in more)
    assert incident.began_at_ms == NOW_MS


@given(st.permutations(range(40)), st.integers(0, 3 * HOUR_MS))
def test_the_cause_is_what_four_in_five_share_whatever_their_order(order: list[int], ago_ms: int) -> None:
    declines = [decline(number, NOW_MS) for number in order]
    buildings = {f"r-{number}": "Riverside" if number else "Lakeside" for number in range(7)}
    acts = [RoomAct(NOW_MS - ago_ms, "room.changed", f"r-{number}") for number in range(6)]
    found = likely_cause(declines, buildings, [], NOW_MS)
    assert (found.kind, found.about, found.share) == (CauseKind.BUILDING, "Riverside", 34)
    expected = CauseKind.ACT if ago_ms < HOUR_MS else CauseKind.PROVIDER
    assert likely_cause(declines, {}, acts, NOW_MS).kind is expected


def test_one_room_or_one_organiser_is_named_and_nothing_in_common_is_said() -> None:
    one_room = [decline(number, NOW_MS, room="r-1") for number in range(30)]
    one_host = [decline(number, NOW_MS, organizer="p-1") for number in range(30)]
    mixed = [decline(number, NOW_MS, provider=["google", "microsoft"][number % 2]) for number in range(30)]
    assert likely_cause(one_room, {}, [], NOW_MS) == LikelyCause(kind=CauseKind.ROOM, about="r-1", share=30)
    assert likely_cause(one_host, {}, [], NOW_MS) == LikelyCause(kind=CauseKind.ORGANIZER, about="p-1", share=30)
    assert likely_cause(mixed, {}, [], NOW_MS) == LikelyCause(kind=CauseKind.NONE)
