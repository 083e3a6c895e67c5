"""The fold: which observations announce a decline, and which must not."""

from __future__ import annotations

import pytest

from services.room_status.deciding.expiry import is_past
from services.room_status.deciding.fold import fold
from shared.contracts.copy_observation import from_version_1
from shared.contracts.meeting_state import MeetingRecord, RoomRecord, RoomState
from shared.contracts.observation import Observation
from shared.crypto.meetings import StoredMeeting
from shared.domain.attendees import CopyRole
from shared.domain.instants import DAY_MS, HOUR_MS
from tests.support.builders import KEYS, NOW_MS, START_MS, an_observation, an_occurrence
from tests.support.meetings import after


def folded(*seen: Observation, provider: str = "microsoft") -> tuple[StoredMeeting, list[str]]:
    """Fold one after the other; returns the meeting and the ids announced on the way."""
    meeting, told = StoredMeeting(MeetingRecord(provider=provider, meeting="m-planning")), []
    for step, observation in enumerate(seen):
        change = fold(meeting, from_version_1(observation), keys=KEYS)
        if change is not None:
            meeting = after(meeting, observation.mailbox, change)
            told += [decline.id for decline in change.declines]
            assert all(decline.time for decline in change.declines), step
    return meeting, told


def rooms(meeting: StoredMeeting) -> list[RoomRecord]:
    return [room for date in meeting.record.dates for room in date.rooms]


def state_of(meeting: StoredMeeting, room: str = "a") -> RoomState:
    return next(each.state for each in rooms(meeting) if each.room == room)


@pytest.mark.proves("D7", "E43")
def test_room_that_declines_is_announced_once_however_often_it_is_seen() -> None:
    pending = an_observation(a="none")
    declined = an_observation(a="declined", at_ms=NOW_MS + 1)
    again = an_observation(a="declined", at_ms=NOW_MS + 2)
    meeting, told = folded(pending, declined, again, declined)
    assert state_of(meeting) is RoomState.DECLINED
    assert len(told) == 1


@pytest.mark.proves("D7")
def test_acceptance_announces_nothing() -> None:
    meeting, told = folded(an_observation(a="none"), an_observation(a="accepted", at_ms=NOW_MS + 1))
    assert state_of(meeting) is RoomState.ACCEPTED
    assert told == []


@pytest.mark.proves("E42")
@pytest.mark.parametrize("answer", ["none", "tentative"])
def test_room_that_has_not_answered_is_pending(answer: str) -> None:
    meeting, _ = folded(an_observation(a=answer))
    assert state_of(meeting) is RoomState.PENDING


@pytest.mark.proves("D7")
def test_new_invitation_that_is_declined_again_is_announced_again() -> None:
    _, told = folded(
        an_observation(a="declined"),
        an_observation(an_occurrence(), at_ms=NOW_MS + 1),
        an_observation(a="none", at_ms=NOW_MS + 2),
        an_observation(a="declined", at_ms=NOW_MS + 3),
    )
    assert len(set(told)) == 2


@pytest.mark.proves("B9", "D7")
def test_moved_meeting_is_asked_and_decided_anew() -> None:
    moved = an_occurrence(start_ms=START_MS + HOUR_MS, a="none")
    no = an_occurrence(start_ms=START_MS + HOUR_MS, a="declined")
    meeting, told = folded(
        an_observation(a="declined"), an_observation(moved, at_ms=NOW_MS + 1), an_observation(no, at_ms=NOW_MS + 2)
    )
    assert len(set(told)) == 2
    assert rooms(meeting)[0].asked_at_ms == NOW_MS + 1


@pytest.mark.proves("B9")
def test_move_whose_new_decline_is_seen_at_once_is_announced_as_soon_as_it_is_seen_again() -> None:
    no = an_occurrence(start_ms=START_MS + HOUR_MS, a="declined")
    moved = an_observation(a="declined"), an_observation(no, at_ms=NOW_MS + 1)
    meeting, told = folded(*moved)
    assert (len(told), state_of(meeting)) == (1, RoomState.PENDING)
    meeting, told = folded(*moved, an_observation(no, at_ms=NOW_MS + 2))
    assert (len(set(told)), state_of(meeting)) == (2, RoomState.DECLINED)


def test_late_decline_after_acceptance_is_announced() -> None:
    _, told = folded(an_observation(a="accepted"), an_observation(a="declined", at_ms=NOW_MS + 1))
    assert len(told) == 1


@pytest.mark.proves("B13")
def test_first_look_after_a_consent_is_quiet_and_remembers_it() -> None:
    meeting, told = folded(an_observation(a="declined", baseline=True), an_observation(a="declined", at_ms=NOW_MS + 1))
    assert told == []
    assert rooms(meeting)[0].quiet


@pytest.mark.proves("B13")
def test_baseline_never_silences_a_room_that_was_already_known() -> None:
    _, told = folded(an_observation(a="none"), an_observation(a="declined", baseline=True, at_ms=NOW_MS + 1))
    assert len(told) == 1


@pytest.mark.proves("B13")
def test_meeting_first_seen_later_and_already_declined_is_announced() -> None:
    _, told = folded(an_observation(a="declined", provider="google"), provider="google")
    assert len(told) == 1


@pytest.mark.proves("B13")
def test_past_meeting_is_never_announced() -> None:
    _, told = folded(an_observation(an_occurrence(start_ms=NOW_MS - HOUR_MS, a="declined")))
    assert told == []


@pytest.mark.proves("B13")
def test_second_attendee_who_connects_announces_nothing() -> None:
    ada = an_observation(a="declined", provider="google")
    ben = an_observation(
        a="declined", provider="google", mailbox="m-ben", role=CopyRole.GUEST, baseline=True, at_ms=NOW_MS + 1
    )
    _, told = folded(ada, ben, provider="google")
    assert len(told) == 1


def test_organiser_who_connects_after_a_guest_is_told_nothing_old() -> None:
    ben = an_observation(a="declined", mailbox="m-ben", role=CopyRole.GUEST, baseline=True)
    ada = an_observation(a="declined", baseline=True, at_ms=NOW_MS + 1)
    meeting, told = folded(ben, ada)
    assert told == []
    assert state_of(meeting) is RoomState.DECLINED


def test_microsoft_room_is_unknown_without_the_organisers_copy() -> None:
    meeting, told = folded(an_observation(a="declined", role=CopyRole.GUEST, mailbox="m-ben"))
    assert state_of(meeting) is RoomState.UNKNOWN
    assert told == []


def test_withdrawn_organiser_leaves_the_room_unknown_and_the_word_to_nobody() -> None:
    ben = an_observation(a="none", role=CopyRole.GUEST, mailbox="m-ben")
    meeting, _ = folded(an_observation(a="accepted"), ben, an_observation(withdrawn=True, at_ms=NOW_MS + 1))
    assert state_of(meeting) is RoomState.UNKNOWN
    assert not meeting.record.dates[0].in_sight
    assert "m-ada" not in meeting.copies


def test_google_believes_the_lowest_guest_that_shows_guests() -> None:
    hidden = an_observation(a="none", role=CopyRole.GUEST, mailbox="m-a", provider="google", shows_guests=False)
    guest = an_observation(a="declined", role=CopyRole.GUEST, mailbox="m-b", provider="google")
    meeting, told = folded(hidden, guest, provider="google")
    assert meeting.record.dates[0].speaker == "m-b"
    assert len(told) == 1


def test_removed_room_is_gone_and_an_accepted_one_is_released() -> None:
    still_there = an_observation(an_occurrence(b="accepted"), at_ms=NOW_MS + 1)
    meeting, _ = folded(an_observation(a="none", b="accepted"), still_there)
    assert state_of(meeting) is RoomState.GONE
    meeting, _ = folded(an_observation(a="accepted"), an_observation(an_occurrence(), at_ms=NOW_MS + 1))
    assert state_of(meeting) is RoomState.RELEASED


def test_cancelled_meeting_leaves_every_room_gone() -> None:
    meeting, _ = folded(an_observation(a="accepted"), an_observation(at_ms=NOW_MS + 1))
    assert state_of(meeting) is RoomState.GONE


def test_past_dates_that_leave_the_window_keep_their_last_state() -> None:
    later = START_MS + 3 * HOUR_MS
    meeting, _ = folded(an_observation(a="accepted"), an_observation(at_ms=later))
    assert state_of(meeting) is RoomState.ACCEPTED
    meeting, _ = folded(an_observation(a="accepted"), an_observation(at_ms=later + DAY_MS))
    assert meeting.record.dates == ()


def test_copy_that_says_the_same_again_changes_nothing() -> None:
    meeting, _ = folded(an_observation(a="none"))
    assert rooms(meeting)
    again = an_observation(a="none", at_ms=NOW_MS + 5, baseline=True)
    assert fold(meeting, from_version_1(again), keys=KEYS) is None


def test_decline_id_depends_on_facts_and_keys_alone() -> None:
    _, one = folded(an_observation(a="declined"))
    _, two = folded(an_observation(a="none"), an_observation(a="declined", at_ms=NOW_MS + 99))
    assert one == two


def test_dates_of_a_series_are_decided_one_by_one() -> None:
    dates = [an_occurrence(slot=str(day), start_ms=START_MS + day * DAY_MS, a="accepted") for day in range(3)]
    dates[1] = an_occurrence(slot="1", start_ms=START_MS + DAY_MS, a="declined")
    meeting, told = folded(an_observation(*dates))
    assert len(told) == 1
    assert [memory.state for memory in rooms(meeting)] == ["accepted", "declined", "accepted"]


def test_meeting_is_past_once_its_last_date_ended() -> None:
    meeting, _ = folded(an_observation(a="accepted"))
    assert not is_past(meeting.record, START_MS + HOUR_MS)
    assert is_past(meeting.record, START_MS + HOUR_MS + 1)


def test_organisers_copy_that_was_cut_short_makes_rooms_unknown_not_gone() -> None:
    cut = an_observation(an_occurrence(), shows_guests=False, at_ms=NOW_MS + 1)
    meeting, told = folded(an_observation(a="accepted"), cut)
    assert state_of(meeting) is RoomState.UNKNOWN
    assert told == []


def test_room_that_is_invited_again_was_asked_at_the_new_invitation() -> None:
    back = an_observation(a="accepted", at_ms=NOW_MS + 2)
    meeting, _ = folded(an_observation(a="none"), an_observation(an_occurrence(), at_ms=NOW_MS + 1), back)
    assert rooms(meeting)[0].asked_at_ms == NOW_MS + 2
