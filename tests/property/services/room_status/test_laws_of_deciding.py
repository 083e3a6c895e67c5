"""Laws that hold for any order in which copies' looks are committed, and planted faults that break each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from services.room_status.deciding.fold import Change, DecisionRules, fold
from shared.contracts.copy_observation import CopyObservation, Sight
from shared.contracts.meeting_state import MeetingRecord, RoomState
from shared.crypto.meetings import StoredMeeting
from shared.domain.attendees import CopyRole
from shared.domain.instants import HOUR_MS
from shared.domain.keys import TenantKeys
from tests.support.builders import KEYS, NOW_MS, START_MS
from tests.support.copy_builders import a_date, a_guest_look, a_look
from tests.support.meetings import after

STEP_MS = 60_000


@dataclass(frozen=True)
class Case:
    """A calendar's history, the moments at which each copy is looked at, and the order in which the looks are committed."""

    truth: tuple[tuple[int, str], ...]
    """Moment by moment: hours that the meeting was moved by, and the room's answer; "" for no room."""
    organizer: tuple[int, ...]
    guest: tuple[int, ...]
    guest_first: tuple[bool, ...]
    leaves: bool
    """The organiser disconnects and connects again at the end, when nothing has changed."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    answers = st.sampled_from(["none", "accepted", "declined", ""])
    first = (0, draw(st.sampled_from(["none", "accepted", "declined"])))  # a meeting without a room is not remembered
    truth = (first, *draw(st.lists(st.tuples(st.integers(0, 2), answers), min_size=1, max_size=6)))
    moments = st.lists(st.integers(0, len(truth) - 1), max_size=5).map(lambda found: tuple(sorted(set(found))))
    organizer, guest = draw(moments), draw(moments)
    return Case(
        truth=truth,
        organizer=tuple(sorted({0, *organizer, len(truth) - 1})),
        guest=guest,
        guest_first=tuple(draw(st.lists(st.booleans(), min_size=16, max_size=16))),
        leaves=draw(st.booleans()),
    )


def looks(
    case: Case, moments: Sequence[int], look: Callable[..., CopyObservation], ahead_ms: int
) -> list[CopyObservation]:
    """A copy's looks in its own order; each shows the calendar as it was, and one that finds a refusal is repeated."""
    seen = []
    for moment in moments:
        moved, answer = case.truth[moment]
        sequence = sum(one[0] != two[0] for one, two in zip(case.truth, case.truth[1 : moment + 1], strict=False))
        date = a_date(start_ms=START_MS + moved * HOUR_MS, sequence=sequence, **({"a": answer} if answer else {}))
        at_ms = NOW_MS + moment * STEP_MS + ahead_ms
        seen += [look(date, at_ms=at_ms), look(date, at_ms=at_ms + 10)]
    return seen


def committed(case: Case) -> list[CopyObservation]:
    """Every look, in one of the orders that keep each copy's own. The organiser's copy is known first."""
    organizer, guest = looks(case, case.organizer, a_look, 0), looks(case, case.guest, a_guest_look, 1)
    seen, rest = organizer[:1], organizer[1:]
    for turn in case.guest_first:
        source = guest if (turn and guest) or not rest else rest
        seen += [source.pop(0)] if source else []
    seen += rest + guest
    if case.leaves:
        end_ms = NOW_MS + len(case.truth) * STEP_MS
        last = organizer[-1]
        seen.append(a_look(sight=Sight.WITHDRAWN, at_ms=end_ms))
        seen.append(msgspec.structs.replace(last, observed_at_ms=end_ms + 1, baseline=True))
    return seen


def folded(seen: Sequence[CopyObservation], rules: DecisionRules) -> tuple[StoredMeeting, list[str]]:
    meeting, declines = StoredMeeting(MeetingRecord(provider="google", meeting="m-planning")), list[str]()
    for each in seen:
        if (change := rules(meeting, each, keys=KEYS)) is not None:
            meeting = after(meeting, each.mailbox, change)
            declines += [decline.id for decline in change.declines]
    return meeting, declines


def declines_follow_the_organiser(case: Case, rules: DecisionRules) -> bool:
    """While the organiser's copy can be looked at, the order of others' looks changes nothing that is told."""
    _, alone = folded(looks(case, case.organizer, a_look, 0), fold)
    _, declines = folded(committed(case), rules)
    return declines == alone


def shown_as_it_is(case: Case, rules: DecisionRules) -> bool:
    """Once everybody has been looked at last, what is shown is what stands in the calendar."""
    meeting, _ = folded(committed(case), rules)
    shown = {
        (room.start_ms, room.state)
        for date in meeting.record.dates
        for room in date.rooms
        if room.state not in {RoomState.GONE, RoomState.RELEASED}
    }
    moved, answer = case.truth[-1]
    state = {"none": RoomState.PENDING, "accepted": RoomState.ACCEPTED, "declined": RoomState.DECLINED}
    return shown == ({(START_MS + moved * HOUR_MS, state[answer])} if answer else set())


LAWS = (declines_follow_the_organiser, shown_as_it_is)


@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.proves("D7")
@given(case=cases())
def test_law_holds_for_any_order(law: Callable[[Case, DecisionRules], bool], case: Case) -> None:
    assert law(case, fold)


def by_latest_look(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
    """Planted: nobody's word goes before another's but by the order of the log."""
    dates = tuple(
        msgspec.structs.replace(date, speaker=seen.mailbox if seen.dates else date.speaker)
        for date in meeting.record.dates
    )
    record = msgspec.structs.replace(meeting.record, dates=dates)
    return fold(StoredMeeting(record, meeting.copies), msgspec.structs.replace(seen, role=CopyRole.GUEST), keys=keys)


def forgetting(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
    """Planted: what was told of a room is forgotten when it is lost from sight."""
    change = fold(meeting, seen, keys=keys)
    if change is None or seen.sight is Sight.READ:
        return change
    dates = tuple(
        msgspec.structs.replace(
            date,
            rooms=tuple(
                msgspec.structs.replace(room, answer=None if room.state is RoomState.UNKNOWN else room.answer)
                for room in date.rooms
            ),
        )
        for date in change.record.dates
    )
    return replace(change, record=msgspec.structs.replace(change.record, dates=dates))


def announcing_anew(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
    """Planted: as `forgetting`, and a first look after a consent is not quiet."""
    return forgetting(meeting, msgspec.structs.replace(seen, baseline=False), keys=keys)


def keeping_ghosts(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
    """Planted: a room that the organiser's copy no longer names stays as it was."""
    known = {room.room: room for date in meeting.record.dates for room in date.rooms}
    if seen.sight is not Sight.READ or not known or all(date.rooms for date in seen.dates):
        return fold(meeting, seen, keys=keys)
    return None


@pytest.mark.parametrize(
    ("law", "planted"),
    [
        (declines_follow_the_organiser, by_latest_look),
        (declines_follow_the_organiser, announcing_anew),
        (shown_as_it_is, keeping_ghosts),
        (shown_as_it_is, by_latest_look),
    ],
)
def test_planted_fault_breaks_the_law(law: Callable[[Case, DecisionRules], bool], planted: DecisionRules) -> None:
    found = find(cases(), lambda case: not law(case, planted), settings=settings(max_examples=3_000, deadline=None))
    assert law(found, fold)
