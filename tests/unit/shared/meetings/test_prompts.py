"""A prompt is a query: when it opens, when it closes, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import MeetingState, RoomMemory, from_version_1
from shared.crypto.meetings import StoredMeeting
from shared.domain.keys import TenantKeys
from shared.meetings.prompts import Closing, MeetingView, Prompt, PromptState, Viewer, view_meeting
from tests.support.remembered_meetings import GUEST, HOUR_MS, NOW_MS, START_MS, VOICE

ARoom = Callable[..., RoomMemory]
AMeeting = Callable[..., MeetingState]


def seen(
    meeting: MeetingState,
    keys: TenantKeys,
    *,
    mailbox: str = VOICE,
    now_ms: int = NOW_MS,
    grace_ms: int = 0,
    dismissed: frozenset[str] = frozenset(),
) -> MeetingView:
    return view_meeting(StoredMeeting(*from_version_1(meeting)), keys, Viewer(mailbox, now_ms, grace_ms, dismissed))


def only(found: MeetingView) -> Prompt:
    (prompt,) = found.prompts
    return prompt


@pytest.mark.proves("E43")
def test_room_that_declined_gives_its_organiser_exactly_one_prompt_named_after_the_decline(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    declined = a_room(state=RoomState.DECLINED)

    prompt = only(seen(a_meeting(declined), keys))

    assert prompt.open
    assert prompt.id == declined.decline_id
    assert prompt.event_id == "event-of-m-voice"
    assert prompt.people == 3


def test_guest_sees_the_room_but_is_not_prompted(a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys) -> None:
    found = seen(a_meeting(a_room(state=RoomState.DECLINED)), keys, mailbox=GUEST)

    assert [line.state for line in found.rooms] == [RoomState.DECLINED]
    assert found.prompts == ()


def test_guest_whose_copy_hides_the_room_sees_nothing_of_it(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    assert seen(a_meeting(a_room(), guest_sees=()), keys, mailbox=GUEST).rooms == ()


def test_stranger_sees_nothing(a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys) -> None:
    assert seen(a_meeting(a_room(state=RoomState.DECLINED)), keys, mailbox="m-stranger") == MeetingView()


@pytest.mark.parametrize("state", [RoomState.PENDING, RoomState.ACCEPTED, RoomState.UNKNOWN, RoomState.RELEASED])
def test_room_that_did_not_decline_gives_no_prompt(
    state: RoomState, a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    found = seen(a_meeting(a_room(state=state)), keys)

    assert [line.state for line in found.rooms] == [state]
    assert found.prompts == ()


@pytest.mark.proves("B13")
def test_room_that_declined_before_its_owner_connected_is_shown_and_never_prompted_for(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    found = seen(a_meeting(a_room(state=RoomState.DECLINED, quiet=True)), keys)

    assert [(line.state, line.quiet) for line in found.rooms] == [(RoomState.DECLINED, True)]
    assert found.prompts == ()


@pytest.mark.parametrize(("waited_ms", "state"), [(14_999, PromptState.WAITING), (15_000, PromptState.OPEN)])
def test_prompt_waits_until_the_decline_has_stood_for_the_grace_time(
    waited_ms: int, state: PromptState, a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    declined = a_room(state=RoomState.DECLINED, since_ms=NOW_MS)

    assert only(seen(a_meeting(declined), keys, now_ms=NOW_MS + waited_ms, grace_ms=15_000)).state is state


@pytest.mark.parametrize("state", [RoomState.PENDING, RoomState.ACCEPTED])
@pytest.mark.proves("D8")
def test_prompt_closes_as_rebooked_once_another_room_was_asked_after_the_decline(
    state: RoomState, a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    declined = a_room(state=RoomState.DECLINED, since_ms=NOW_MS - 2_000)
    other = a_room("r-two", state, asked_at_ms=NOW_MS - 1_000)

    assert only(seen(a_meeting(declined, other), keys)).closing is Closing.REBOOKED


def test_second_room_asked_before_the_decline_does_not_close_the_prompt(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    declined = a_room(state=RoomState.DECLINED, since_ms=NOW_MS - 2_000)
    other = a_room("r-two", RoomState.ACCEPTED, asked_at_ms=NOW_MS - 3_000)

    assert only(seen(a_meeting(declined, other), keys)).open


def test_room_of_another_date_does_not_close_the_prompt(a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys) -> None:
    declined = a_room(state=RoomState.DECLINED, since_ms=NOW_MS - 2_000)
    other = a_room("r-two", RoomState.ACCEPTED, occurrence="o-two", asked_at_ms=NOW_MS - 1_000)

    assert only(seen(a_meeting(declined, other), keys)).open


def test_replacement_that_declines_too_opens_both_prompts_again(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    first = a_room(state=RoomState.DECLINED, since_ms=NOW_MS - 2_000)
    second = a_room("r-two", RoomState.DECLINED, asked_at_ms=NOW_MS - 1_000, since_ms=NOW_MS - 500)

    assert all(prompt.open for prompt in seen(a_meeting(first, second), keys).prompts)


@pytest.mark.parametrize(
    ("state", "closing"),
    [
        (RoomState.ACCEPTED, Closing.ACCEPTED),
        (RoomState.PENDING, Closing.REBOOKED),
        (RoomState.GONE, Closing.CANCELLED),
        (RoomState.RELEASED, Closing.CANCELLED),
    ],
)
@pytest.mark.proves("D8")
def test_decline_that_no_longer_stands_says_what_came_in_its_place(
    state: RoomState, closing: Closing, a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    prompt = only(seen(a_meeting(a_room(state=state, declines=1)), keys))

    assert (prompt.state, prompt.closing) == (PromptState.CLOSED, closing)


@pytest.mark.proves("D8")
def test_prompt_of_a_room_that_is_out_of_sight_is_neither_shown_nor_closed(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    prompt = only(seen(a_meeting(a_room(state=RoomState.UNKNOWN, declines=1)), keys))

    assert (prompt.open, prompt.state, prompt.closing) == (False, PromptState.OUT_OF_SIGHT, None)


def test_room_swapped_for_another_closes_as_rebooked(a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys) -> None:
    swapped = a_room(state=RoomState.GONE, declines=1)
    other = a_room("r-two", asked_at_ms=NOW_MS - 1_000)

    assert only(seen(a_meeting(swapped, other), keys)).closing is Closing.REBOOKED


@pytest.mark.proves("D8")
def test_meeting_that_is_over_closes_the_prompt_as_past(a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys) -> None:
    declined = a_room(state=RoomState.DECLINED)

    assert only(seen(a_meeting(declined), keys, now_ms=START_MS + HOUR_MS - 1)).open
    assert only(seen(a_meeting(declined), keys, now_ms=START_MS + HOUR_MS)).closing is Closing.PAST


@pytest.mark.proves("D8")
def test_dismissed_prompt_is_closed_for_that_decline_alone(
    a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    first = a_room(state=RoomState.DECLINED)
    again = a_room(state=RoomState.DECLINED, declines=2)

    assert only(seen(a_meeting(first), keys, dismissed=frozenset({first.decline_id}))).closing is Closing.DISMISSED
    prompts = seen(a_meeting(again), keys, dismissed=frozenset({first.decline_id})).prompts
    assert {prompt.id: prompt.state for prompt in prompts} == {
        first.decline_id: PromptState.CLOSED,
        again.decline_id: PromptState.OPEN,
    }


def test_room_stays_listed_until_its_meeting_is_over(a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys) -> None:
    meeting = a_meeting(a_room())

    assert seen(meeting, keys, now_ms=START_MS + HOUR_MS - 1).rooms
    assert not seen(meeting, keys, now_ms=START_MS + HOUR_MS).rooms


STATES = st.sampled_from(list(RoomState))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(st.tuples(STATES, st.booleans(), st.integers(-90, 30), st.integers(-90, 30)), max_size=5),
    grace_s=st.integers(0, 60),
    dismiss=st.booleans(),
)
@pytest.mark.proves("E43")
def test_every_announced_decline_has_one_prompt_and_open_ones_hold_to_the_rule(
    drawn: list[tuple[RoomState, bool, int, int]],
    grace_s: int,
    dismiss: bool,
    a_room: ARoom,
    a_meeting: AMeeting,
    keys: TenantKeys,
) -> None:
    rooms = [
        a_room(f"r-{n}", state, quiet=quiet, since_ms=NOW_MS + since * 1_000, asked_at_ms=NOW_MS + asked * 1_000)
        for n, (state, quiet, since, asked) in enumerate(drawn)
    ]
    dismissed = frozenset(room.decline_id for room in rooms[:1] if dismiss)
    found = seen(a_meeting(*rooms), keys, grace_ms=grace_s * 1_000, dismissed=dismissed)

    declined = {room.decline_id: room for room in rooms if room.decline_id}
    assert sorted(prompt.id for prompt in found.prompts) == sorted(declined)
    for prompt in found.prompts:
        room = declined[prompt.id]
        replaced = any(
            other.room != room.room
            and other.state in (RoomState.PENDING, RoomState.ACCEPTED)
            and other.asked_at_ms > room.since_ms
            for other in rooms
        )
        stood = not grace_s or room.since_ms + grace_s * 1_000 <= NOW_MS
        assert prompt.open == (stood and not replaced and prompt.id not in dismissed)
        assert (prompt.closing is not None) == (prompt.state is PromptState.CLOSED)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.integers(-10 * HOUR_MS, 10 * HOUR_MS), min_size=2, max_size=6))
def test_passing_time_alone_opens_a_prompt_once_and_closes_it_for_good(
    moments: list[int], a_room: ARoom, a_meeting: AMeeting, keys: TenantKeys
) -> None:
    meeting = a_meeting(a_room(state=RoomState.DECLINED, since_ms=NOW_MS))
    order = [PromptState.WAITING, PromptState.OPEN, PromptState.CLOSED]

    states = [
        order.index(only(seen(meeting, keys, now_ms=NOW_MS + at, grace_ms=15_000)).state) for at in sorted(moments)
    ]

    assert states == sorted(states)
