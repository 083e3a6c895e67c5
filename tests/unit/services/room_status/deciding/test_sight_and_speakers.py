"""A decline outlives our sight of it, is told once whoever saw it, and no stale word takes a meeting back."""

from __future__ import annotations

import pytest

from services.room_status.deciding.fold import fold
from shared.contracts.copy_observation import CopyObservation, Sight
from shared.contracts.meeting_state import MeetingRecord, RoomRecord, RoomState
from shared.crypto.meetings import StoredMeeting
from shared.domain.attendees import CopyRole
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.support.builders import KEYS, NOW_MS, START_MS
from tests.support.copy_builders import a_date, a_guest_look, a_look
from tests.support.meetings import after

LATER_MS = START_MS + 4 * HOUR_MS


def folded(*seen: CopyObservation) -> tuple[StoredMeeting, list[str]]:
    """Fold one after the other; returns the meeting and the ids announced on the way."""
    meeting, declines = StoredMeeting(MeetingRecord(provider=seen[0].provider, meeting="m-planning")), list[str]()
    for each in seen:
        change = fold(meeting, each, keys=KEYS)
        if change is not None:
            meeting = after(meeting, each.mailbox, change)
            declines += [decline.id for decline in change.declines]
    return meeting, declines


def room_of(meeting: StoredMeeting, slot: str = "single", room: str = "a") -> RoomRecord:
    return next(
        each for date in meeting.record.dates if date.ref == f"o-{slot}" for each in date.rooms if each.room == room
    )


@pytest.mark.proves("B13")
@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_disconnecting_and_connecting_again_tells_nothing_anew(provider: str) -> None:
    first = a_look(a_date(a="none", b="declined"), baseline=True, provider=provider)
    refused = a_look(a_date(a="declined", b="declined"), at_ms=NOW_MS + 1, provider=provider)
    left = a_look(sight=Sight.WITHDRAWN, at_ms=NOW_MS + 2, provider=provider)
    back = a_look(a_date(a="declined", b="declined"), baseline=True, at_ms=NOW_MS + 3, provider=provider)
    away, declines = folded(first, refused, left)
    assert [room_of(away, room=room).state for room in "ab"] == [RoomState.UNKNOWN, RoomState.UNKNOWN]
    meeting, declines = folded(first, refused, left, back)
    assert len(declines) == 1
    assert [(room_of(meeting, room=room).state, room_of(meeting, room=room).quiet) for room in "ab"] == [
        (RoomState.DECLINED, False),
        (RoomState.DECLINED, True),
    ]
    assert room_of(meeting).answered_at_ms == NOW_MS + 1


@pytest.mark.proves("B13", "D7")
@pytest.mark.parametrize("first", ["the older look", "the baseline"])
def test_decline_between_two_looks_is_told_in_whatever_order_they_are_heard(first: str) -> None:
    alive = a_guest_look(a_date(a="none"), mailbox="m-ben", at_ms=NOW_MS)
    refused = a_guest_look(a_date(a="declined"), mailbox="m-cyd", at_ms=NOW_MS + 2, baseline=True)
    heard = (alive, refused) if first == "the older look" else (refused, alive)
    meeting, declines = folded(*heard)
    assert len(declines) == 1
    assert (room_of(meeting).state, room_of(meeting).quiet) == (RoomState.DECLINED, False)
    assert folded(*heard, refused, alive)[1] == declines


@pytest.mark.proves("B13")
def test_refusal_while_nobody_could_look_is_told_once_on_return() -> None:
    accepted = a_look(a_date(a="accepted"), baseline=True)
    left = a_look(sight=Sight.WITHDRAWN, at_ms=NOW_MS + 1)
    back = a_look(a_date(a="declined"), baseline=True, at_ms=NOW_MS + 2)
    assert len(folded(accepted, left, back, left, back)[1]) == 1


@pytest.mark.proves("B13")
def test_guest_list_that_is_hidden_and_shown_tells_nothing_anew() -> None:
    declined = a_guest_look(a_date(a="declined"))
    hidden = a_guest_look(a_date(credible=False), at_ms=NOW_MS + 1)
    shown = a_guest_look(a_date(a="declined"), at_ms=NOW_MS + 2)
    assert room_of(folded(declined, hidden)[0]).state is RoomState.UNKNOWN
    meeting, declines = folded(declined, hidden, shown)
    assert (len(declines), room_of(meeting).state) == (1, RoomState.DECLINED)


@pytest.mark.proves("D7")
def test_stale_words_of_a_guest_and_of_the_organiser_never_take_a_meeting_back() -> None:
    known = a_look(a_date(a="none"), baseline=True), a_guest_look(a_date(a="none"), baseline=True)
    moved = a_date(start_ms=LATER_MS, sequence=1, a="none")
    again = a_date(start_ms=LATER_MS, sequence=1, a="declined")
    meeting, declines = folded(
        *known,
        a_guest_look(a_date(a="declined"), at_ms=NOW_MS + 916),
        a_guest_look(moved, at_ms=NOW_MS + 2_085),
        a_look(a_date(a="declined"), at_ms=NOW_MS + 915),
        a_look(moved, at_ms=NOW_MS + 3_000),
        a_guest_look(again, at_ms=NOW_MS + 4_000),
        a_look(again, at_ms=NOW_MS + 4_001),
    )
    assert len(declines) == len(set(declines)) == 2
    assert room_of(meeting).start_ms == LATER_MS


@pytest.mark.proves("D7")
def test_organiser_whose_first_look_is_older_than_a_guests_word_does_not_take_it_back() -> None:
    meeting, declines = folded(
        a_guest_look(a_date(a="declined")),
        a_guest_look(a_date(start_ms=LATER_MS, sequence=1, a="none"), at_ms=NOW_MS + 9),
        a_look(a_date(a="declined"), at_ms=NOW_MS + 5, baseline=True),
    )
    assert (len(declines), room_of(meeting).start_ms) == (1, LATER_MS)
    meeting, declines = folded(
        a_guest_look(a_date(a="declined")),
        a_guest_look(a_date(start_ms=LATER_MS, sequence=1, a="none"), at_ms=NOW_MS + 9),
        a_look(a_date(a="declined"), at_ms=NOW_MS + 5, baseline=True),
        a_look(a_date(start_ms=LATER_MS, sequence=1, a="accepted"), at_ms=NOW_MS + 10),
    )
    assert (meeting.record.dates[0].speaker, room_of(meeting).state) == ("m-ada", RoomState.ACCEPTED)


@pytest.mark.proves("D7")
@pytest.mark.parametrize("lone", ["m-aaa", "m-zzz"])
def test_guest_of_one_date_speaks_for_that_date_alone(lone: str) -> None:
    dates = [a_date(str(day), start_ms=START_MS + day * DAY_MS, a="none") for day in range(10)]
    refused = [a_date(str(day), start_ms=START_MS + day * DAY_MS, a="declined") for day in range(10)]
    meeting, declines = folded(
        a_guest_look(*dates, baseline=True),
        a_guest_look(dates[3], mailbox=lone, baseline=True, at_ms=NOW_MS + 1),
        a_guest_look(*refused, at_ms=NOW_MS + 2),
        a_guest_look(refused[3], mailbox=lone, at_ms=NOW_MS + 3),
    )
    assert len(declines) == 10
    assert {room_of(meeting, str(day)).state for day in range(10)} == {RoomState.DECLINED}


@pytest.mark.proves("B13")
def test_date_that_merely_comes_into_sight_stays_quiet_and_a_later_refusal_is_told() -> None:
    def on(*days: int, last: str = "declined") -> list:  # type: ignore[type-arg]
        return [
            a_date(str(day), start_ms=START_MS + day * DAY_MS, a=last if day == days[-1] else "declined")
            for day in days
        ]

    first = a_look(*on(57, 58), baseline=True)
    second = a_look(*on(57, 58, 59), at_ms=NOW_MS + DAY_MS)
    meeting, declines = folded(first, second)
    assert declines == []
    assert room_of(meeting, "59").quiet
    _, declines = folded(
        first,
        second,
        a_look(*on(57, 58, 59, last="accepted"), at_ms=NOW_MS + DAY_MS + 1),
        a_look(*on(57, 58, 59), at_ms=NOW_MS + DAY_MS + 2),
    )
    assert len(declines) == 1


@pytest.mark.proves("B13")
def test_workshop_that_loses_its_room_on_its_first_day_is_told() -> None:
    _, declines = folded(
        a_look(a_date(hours=36, a="accepted")), a_look(a_date(hours=36, a="declined"), at_ms=START_MS + HOUR_MS)
    )
    assert len(declines) == 1


@pytest.mark.proves("B9")
def test_refusal_that_comes_in_one_word_with_a_new_time_waits_for_another_look() -> None:
    moved = a_date(start_ms=LATER_MS, a="declined")
    seen = a_look(a_date(a="declined")), a_look(moved, at_ms=NOW_MS + 1)
    meeting, declines = folded(*seen)
    assert (len(declines), room_of(meeting).state) == (1, RoomState.PENDING)
    assert len(folded(*seen, a_look(moved, at_ms=NOW_MS + 2))[1]) == 2
    assert len(folded(*seen, a_look(a_date(start_ms=LATER_MS, a="accepted"), at_ms=NOW_MS + 2))[1]) == 1


@pytest.mark.proves("B9")
def test_earlier_time_that_comes_back_is_a_new_ask() -> None:
    _, declines = folded(
        a_look(a_date(a="declined")),
        a_look(a_date(start_ms=LATER_MS, a="none"), at_ms=NOW_MS + 1),
        a_look(a_date(a="none"), at_ms=NOW_MS + 2),
        a_look(a_date(a="declined"), at_ms=NOW_MS + 3),
    )
    assert len(set(declines)) == 2


def test_room_swapped_out_while_nobody_can_be_believed_is_gone_and_still_remembered() -> None:
    seen = (
        a_look(a_date(a="declined"), provider="microsoft"),
        a_guest_look(a_date(a="none"), provider="microsoft", at_ms=NOW_MS + 1),
        a_look(sight=Sight.WITHDRAWN, provider="microsoft", at_ms=NOW_MS + 2),
        a_guest_look(a_date(b="none"), provider="microsoft", at_ms=NOW_MS + 3),
    )
    meeting, _ = folded(*seen)
    assert [room_of(meeting, room=room).state for room in "ab"] == [RoomState.GONE, RoomState.UNKNOWN]
    back = a_look(a_date(a="declined"), provider="microsoft", at_ms=NOW_MS + 4)
    assert len(folded(*seen, back)[1]) == 1


def test_blind_organiser_is_succeeded_by_a_guest_who_knows_more_and_speaks_again_when_seen() -> None:
    seen = (
        a_look(a_date(a="none")),
        a_guest_look(a_date(a="declined"), at_ms=NOW_MS + 1),
        a_look(sight=Sight.BLIND, at_ms=NOW_MS + 2),
    )
    assert folded(*seen[:2])[1] == []
    meeting, declines = folded(*seen)
    assert (len(declines), room_of(meeting).state) == (1, RoomState.DECLINED)
    meeting, declines = folded(*seen, a_look(a_date(a="declined"), at_ms=NOW_MS + 3))
    assert (len(declines), meeting.record.dates[0].speaker) == (1, "m-ada")


def test_what_the_organiser_let_go_a_guest_asks_anew_only_with_a_higher_sequence() -> None:
    seen = (
        a_look(a_date(a="accepted", sequence=3)),
        a_guest_look(a_date(a="accepted", sequence=3), at_ms=NOW_MS + 1),
        a_look(a_date(sequence=3), at_ms=NOW_MS + 2),
        a_look(sight=Sight.WITHDRAWN, at_ms=NOW_MS + 3),
    )
    stale = a_guest_look(a_date(a="declined", sequence=3), at_ms=NOW_MS + 4)
    assert folded(*seen, stale)[1] == []
    newer = a_guest_look(a_date(a="declined", sequence=4), at_ms=NOW_MS + 4)
    assert len(folded(*seen, newer)[1]) == 1


def test_date_outside_the_window_is_out_of_sight_and_not_let_go() -> None:
    far = a_date("far", start_ms=START_MS + 50 * DAY_MS, a="declined")
    meeting, _ = folded(a_look(far), a_look(at_ms=NOW_MS + 1, window_ms=10 * DAY_MS))
    assert room_of(meeting, "far").state is RoomState.UNKNOWN
    meeting, declines = folded(
        a_look(far), a_look(at_ms=NOW_MS + 1, window_ms=10 * DAY_MS), a_look(far, at_ms=NOW_MS + 2)
    )
    assert len(declines) == 1


def test_answer_of_a_room_rewrites_no_copy() -> None:
    meeting, _ = folded(a_look(a_date(a="none")), a_guest_look(a_date(a="none"), at_ms=NOW_MS + 1))
    change = fold(meeting, a_look(a_date(a="declined"), at_ms=NOW_MS + 2), keys=KEYS)
    assert change is not None
    assert change.copy == meeting.copies["m-ada"]


@pytest.mark.proves("B13")
def test_meeting_that_an_organiser_no_longer_finds_on_return_is_gone() -> None:
    refused = a_look(a_date(a="none"), baseline=True), a_look(a_date(a="declined"), at_ms=NOW_MS + 1)
    left = a_look(sight=Sight.WITHDRAWN, at_ms=NOW_MS + 2)
    meeting, _ = folded(*refused, left, a_look(at_ms=NOW_MS + 3, baseline=True))
    assert room_of(meeting).state is RoomState.GONE


def test_former_organiser_who_no_longer_finds_a_meeting_lets_nothing_go_of_it() -> None:
    refused = a_look(a_date(a="none"), baseline=True), a_look(a_date(a="declined"), at_ms=NOW_MS + 1)
    left = a_look(sight=Sight.WITHDRAWN, at_ms=NOW_MS + 2)
    heir = a_look(a_date(a="declined"), mailbox="m-ben", at_ms=NOW_MS + 3)
    meeting, declines = folded(*refused, left, heir, a_look(at_ms=NOW_MS + 4, baseline=True))
    assert room_of(meeting).state is RoomState.DECLINED
    assert meeting.record.organizer_mailbox == "m-ben"
    assert len(declines) == 1


def test_organiser_whose_look_without_the_meeting_is_older_than_a_guests_word_is_looked_at_again() -> None:
    accepted = a_look(a_date(a="accepted"), baseline=True)
    left = a_look(sight=Sight.WITHDRAWN, at_ms=NOW_MS + 1)
    guest = a_guest_look(a_date(a="declined"), at_ms=NOW_MS + 9)
    meeting, _ = folded(accepted, left, guest)
    change = fold(meeting, a_look(at_ms=NOW_MS + 5, baseline=True), keys=KEYS)
    assert change is not None
    assert change.owed == {"m-ada"}
    meeting = after(meeting, "m-ada", change)
    assert room_of(meeting).state is RoomState.DECLINED
    again = fold(meeting, a_look(role=CopyRole.GUEST, at_ms=NOW_MS + 10), keys=KEYS)
    assert again is not None
    assert again.owed == frozenset()
    assert room_of(after(meeting, "m-ada", again)).state is RoomState.GONE
