"""Hints may be lost, repeated and reordered, and workers restarted: the end is the same, and nothing is invented."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.room_status.deciding.fold import fold
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.references import merge, observe
from shared.contracts.calendar_state import EventReference
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.meeting_state import MeetingRecord, ask_of
from shared.crypto.meetings import StoredMeeting
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.domain.sighting import EventKind, Look, SeenEvent, Window
from tests.support.builders import KEYS, NOW_MS, START_MS
from tests.support.meetings import after

ROOMS = ("aare@rooms.test", "birs@rooms.test")

LISTED = ListedRooms({room: KEYS.room(room) for room in ROOMS})


@dataclass(frozen=True)
class Truth:
    """The meeting in the calendar at one moment."""

    answers: tuple[Answer | None, Answer | None]
    shift: int

    def event(self) -> SeenEvent:
        invited = zip(ROOMS, self.answers, strict=True)
        return SeenEvent(
            event_id="e",
            uid="u",
            kind=EventKind.SINGLE,
            master_id="",
            slot="",
            start_ms=START_MS + self.shift * HOUR_MS,
            end_ms=START_MS + (self.shift + 1) * HOUR_MS,
            cancelled=False,
            is_organizer=True,
            organizer="ada@contoso.test",
            shows_guests=True,
            attendees=tuple(
                SeenAttendee(room, AttendeeKind.ROOM, answer) for room, answer in invited if answer is not None
            ),
            version="",
        )


truths = st.builds(
    Truth,
    answers=st.tuples(st.none() | st.sampled_from(Answer), st.none() | st.sampled_from(Answer)),
    shift=st.integers(0, 2),
)
histories = st.lists(truths, min_size=1, max_size=8)


def observations(history: list[Truth], looked_at: list[int]) -> list[CopyObservation]:
    """
    What looks at these moments of the history observe; a look always sees the calendar as it is then.

    A look that finds a refusal is repeated before anything else happens, as the sync worker appoints it.
    """
    known: dict[str, EventReference] = {}
    seen = []
    for count, moment in enumerate(looked_at):
        look = Look((history[moment].event(),), "c", full=False)
        merged = merge(known, look, window=Window(0, 1 << 52), provider="microsoft", keys=KEYS, rooms=LISTED)
        known = merged.references
        at_ms = NOW_MS + count * MINUTE_MS
        for repeated in range(2):
            seen += observe(
                known,
                merged.meetings,
                provider="microsoft",
                mailbox="m-ada",
                keys=KEYS,
                now_ms=at_ms + repeated,
                baseline=False,
                window=Window(0, 1 << 52),
            )
    return seen


def decided(seen: list[CopyObservation], restarts: dict[int, int]) -> tuple[StoredMeeting, list[str]]:
    """
    Fold, restarting before some observations: a torn worker's decisions stand on the topic, its state does not.

    `restarts`: index → how many observations back the durable state lies.
    """
    states = [StoredMeeting(MeetingRecord(provider="microsoft", meeting=seen[0].meeting))]
    topic: list[str] = []
    index = 0
    torn = dict(restarts)
    while index < len(seen):
        if index in torn:
            back = torn.pop(index)
            index = max(0, index - back)
            states = states[: index + 1]
            continue
        change = fold(states[-1], seen[index], keys=KEYS)
        if change is not None:
            topic += [decline.id for decline in change.declines if decline.id not in topic]  # the tail check
        states.append(after(states[-1], seen[index].mailbox, change) if change else states[-1])
        index += 1
    return states[-1], topic


def public(meeting: StoredMeeting) -> list[tuple[str, str, str]]:
    """What is left of a meeting's rooms once those nobody asks any more are forgotten."""
    rooms = [room for date in meeting.record.dates for room in date.rooms]
    return sorted(
        (room.room, room.state, ask_of(room, KEYS)) for room in rooms if room.state not in {"gone", "released"}
    )


@pytest.mark.proves("D7", "B13")
@given(
    history=histories,
    looks=st.lists(st.integers(0, 7), max_size=12),
    restarts=st.dictionaries(st.integers(0, 12), st.integers(0, 4), max_size=3),
)
def test_any_looks_and_restarts_end_in_the_same_state_and_invent_no_decline(
    history: list[Truth], looks: list[int], restarts: dict[int, int]
) -> None:
    last = len(history) - 1
    lossless, every_id = decided(observations(history, list(range(len(history)))), {})
    some = sorted(moment for moment in looks if moment <= last)
    lossy, some_ids = decided(observations(history, [*some, last]), restarts)
    assert public(lossy) == public(lossless)
    # Merging two asks of one time into one may lower the repeat, never raise it: no id that lossless did not give.
    assert set(some_ids) <= set(every_id)
    assert len(some_ids) == len(set(some_ids))


@given(history=histories)
def test_folding_the_same_observations_again_gives_the_same_declines(history: list[Truth]) -> None:
    seen = observations(history, list(range(len(history))))
    assert decided(seen, {}) == decided(seen, {})
