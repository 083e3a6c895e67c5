"""What one more observation changes: the meeting's memory, its rooms' states, and the declines that follow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from services.room_status.deciding.announcement import decline_event
from services.room_status.deciding.voice import voice_of
from shared.contracts.meeting_state import MeetingState, RoomMemory, RoomState
from shared.contracts.observation import Observation, ObservedOccurrence
from shared.contracts.room_declined import RoomDeclined
from shared.domain.attendees import Answer
from shared.domain.keys import TenantKeys

RULES_VERSION = 1
"""Goes up with every change of this module, of `voice` or of `announce` that gives other declines for the same facts."""

RoomKey = tuple[str, str]
"""Occurrence and room."""

STATE_OF = {
    Answer.NONE: RoomState.PENDING,
    Answer.TENTATIVE: RoomState.PENDING,
    Answer.ACCEPTED: RoomState.ACCEPTED,
    Answer.DECLINED: RoomState.DECLINED,
}
OVER = (RoomState.GONE, RoomState.RELEASED)


@dataclass(frozen=True, slots=True)
class Change:
    """The meeting as it is now, which of its rooms changed, and what has to be announced."""

    meeting: MeetingState
    rooms: tuple[RoomMemory, ...]
    declines: tuple[RoomDeclined, ...]


class Rules(Protocol):
    """What makes a decision of an observation: `fold`, or the one that a replay tries out."""

    def __call__(self, meeting: MeetingState, seen: Observation, *, keys: TenantKeys) -> Change | None:
        """What one more observation changes; None when nothing."""
        ...


def fold(meeting: MeetingState, seen: Observation, *, keys: TenantKeys) -> Change | None:
    """
    Replace this copy's observation, ask the voice, derive the new states and the declines they give.

    Returns:
        None when the copy says what it said before.
    """
    if _same(meeting.copies.get(seen.mailbox), seen):
        return None
    copies = {**meeting.copies, seen.mailbox: seen}
    if seen.withdrawn:
        del copies[seen.mailbox]
    voice = voice_of(copies)
    before = {(room.occurrence, room.room): room for room in meeting.rooms}
    after = _spoken(before, voice, seen) if voice else _unspoken(before, copies, seen)
    after = {key: _announced(before.get(key), room, seen, meeting.meeting, keys) for key, room in after.items()}
    changed = tuple(room for key, room in after.items() if room != before.get(key))
    declines = tuple(
        decline_event(room, meeting=meeting.meeting, voice=voice, seen=seen, keys=keys)
        for room in changed
        if voice and room.decline_id and room.decline_id != _decline_id(before.get((room.occurrence, room.room)))
    )
    now = msgspec.structs.replace(
        meeting, copies=copies, voice=voice.mailbox if voice else "", rooms=tuple(after[key] for key in sorted(after))
    )
    return Change(now, changed, declines)


def is_past(meeting: MeetingState, before_ms: int) -> bool:
    """Whether everything that any copy or room of the meeting knows ended before `before_ms`."""
    ends = [occurrence.end_ms for copy in meeting.copies.values() for occurrence in copy.occurrences]
    ends += [room.end_ms for room in meeting.rooms]
    return max(ends, default=0) < before_ms


def _same(earlier: Observation | None, seen: Observation) -> bool:
    if earlier is None:
        return seen.withdrawn
    return earlier == msgspec.structs.replace(seen, observed_at_ms=earlier.observed_at_ms, baseline=earlier.baseline)


def _spoken(before: Mapping[RoomKey, RoomMemory], voice: Observation, seen: Observation) -> dict[RoomKey, RoomMemory]:
    """States by the word of the voice, for the rooms it names and for those it no longer names."""
    occurrences = {occurrence.ref: occurrence for occurrence in voice.occurrences}
    named = {
        (occurrence.ref, room): _answered(before.get((occurrence.ref, room)), occurrence, room, answer, seen)
        for occurrence in voice.occurrences
        for room, answer in occurrence.rooms.items()
    }
    unnamed = {
        key: _dropped(room, seen, held=room.occurrence in occurrences)
        for key, room in before.items()
        if key not in named
    }
    return named | unnamed


def _answered(
    earlier: RoomMemory | None, occurrence: ObservedOccurrence, room: str, answer: Answer, seen: Observation
) -> RoomMemory:
    state = STATE_OF[answer]
    time = (occurrence.start_ms, occurrence.end_ms)
    asked_anew = earlier is None or earlier.state in OVER or (earlier.start_ms, earlier.end_ms) != time
    if earlier is not None and not asked_anew and earlier.state == state:
        return earlier
    return RoomMemory(
        occurrence=occurrence.ref,
        room=room,
        state=state,
        ask=earlier.ask if earlier and not asked_anew else "",
        start_ms=occurrence.start_ms,
        end_ms=occurrence.end_ms,
        asked_at_ms=seen.observed_at_ms if earlier is None or asked_anew else earlier.asked_at_ms,
        since_ms=seen.observed_at_ms,
        repeats=earlier.repeats if earlier else {},
    )


def _dropped(room: RoomMemory, seen: Observation, *, held: bool) -> RoomMemory:
    """A room that the voice no longer names; `held`: the meeting itself goes on at that date."""
    if room.state in OVER or room.end_ms < seen.observed_at_ms:
        return room
    state = RoomState.RELEASED if held and room.state is RoomState.ACCEPTED else RoomState.GONE
    return msgspec.structs.replace(room, state=state, since_ms=seen.observed_at_ms, decline_id="", quiet=False)


def _unspoken(
    before: Mapping[RoomKey, RoomMemory], copies: Mapping[str, Observation], seen: Observation
) -> dict[RoomKey, RoomMemory]:
    """Nobody can be believed: whatever any copy names is unknown."""
    named = {
        (occurrence.ref, room): occurrence
        for copy in copies.values()
        for occurrence in copy.occurrences
        for room in occurrence.rooms
    }
    fresh = {
        key: RoomMemory(
            occurrence=key[0],
            room=key[1],
            state=RoomState.UNKNOWN,
            ask="",
            start_ms=occurrence.start_ms,
            end_ms=occurrence.end_ms,
            asked_at_ms=seen.observed_at_ms,
            since_ms=seen.observed_at_ms,
        )
        for key, occurrence in named.items()
        if key not in before
    }
    dates = {occurrence.ref for copy in copies.values() for occurrence in copy.occurrences}
    return fresh | {key: _silenced(room, seen, held=room.occurrence in dates) for key, room in before.items()}


def _silenced(room: RoomMemory, seen: Observation, *, held: bool) -> RoomMemory:
    """A room of which nobody can be believed; `held`: some copy still has the meeting at that date."""
    over = room.state in OVER or room.end_ms < seen.observed_at_ms
    if over or (held and room.state is RoomState.UNKNOWN):
        return room
    state = RoomState.UNKNOWN if held else RoomState.GONE
    return msgspec.structs.replace(room, state=state, since_ms=seen.observed_at_ms, decline_id="", quiet=False)


def _announced(
    earlier: RoomMemory | None, room: RoomMemory, seen: Observation, meeting: str, keys: TenantKeys
) -> RoomMemory:
    """Name the ask, and decide whether a room that has just said no is announced or kept quiet."""
    if room is earlier:
        return room
    if not room.ask:
        room = msgspec.structs.replace(room, ask=keys.ask(room.start_ms, room.end_ms))
    if room.state is not RoomState.DECLINED or room.decline_id:
        return room
    known = earlier is not None and earlier.state is not RoomState.UNKNOWN
    if room.start_ms < seen.observed_at_ms or (seen.baseline and not known):
        return msgspec.structs.replace(room, quiet=True)
    repeat = room.repeats.get(room.ask, 0)
    return msgspec.structs.replace(
        room,
        repeats={**room.repeats, room.ask: repeat + 1},
        decline_id=keys.decline(meeting, room.occurrence, room.room, room.ask, repeat),
    )


def _decline_id(room: RoomMemory | None) -> str:
    return room.decline_id if room else ""
