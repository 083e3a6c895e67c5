"""
The memory of a meeting as 0.1.0 recorded it: one record with every copy's last observation. Read, and never written again.

`from_version_1` says what it means in version 2. Version 1 forgot what a room had answered when it lost sight of it, and kept
only how often each ask had been announced as declined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from shared.contracts.copy_observation import CopyDate, CopyObservation
from shared.contracts.copy_observation import from_version_1 as as_copy_observation
from shared.contracts.meeting_state import (
    OVER,
    CopyEntry,
    CopyRecord,
    DateRecord,
    MeetingRecord,
    RoomRecord,
    RoomState,
    Word,
)
from shared.contracts.observation import Observation
from shared.domain.attendees import Answer, CopyRole
from shared.domain.identity import Provider

TYPE = "meeting-state"
_ANSWER_OF = {
    RoomState.PENDING: (Answer.NONE, Answer.TENTATIVE),
    RoomState.ACCEPTED: (Answer.ACCEPTED,),
    RoomState.DECLINED: (Answer.DECLINED,),
}


class RoomMemory(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One room of one occurrence."""

    occurrence: str
    room: str
    state: RoomState
    ask: str
    start_ms: int
    end_ms: int
    asked_at_ms: int
    """When this ask was first observed."""
    since_ms: int
    """When the state was first observed."""
    quiet: bool = False
    """Declined before its owner connected: shown on the page, never announced."""
    repeats: dict[str, int] = {}
    """Ask → declines announced so far."""
    decline_id: str = ""
    """The id of the decline that stands behind DECLINED; "" when quiet."""


class MeetingState(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One meeting, total. Key on `meeting-state`: tenant/meeting."""

    provider: str
    meeting: str
    copies: dict[str, Observation] = {}
    """Mailbox id → the last observation of that copy."""
    voice: str = ""
    """The mailbox whose word counts; "" when there is none."""
    rooms: tuple[RoomMemory, ...] = ()
    version: int = 0
    """Counts the changes since the meeting was first seen: a replay sees by it whether a part of the past is missing."""


def from_version_1(earlier: MeetingState) -> tuple[MeetingRecord, Mapping[str, CopyRecord]]:
    """
    Read a meeting that 0.1.0 recorded: its record, and mailbox id → copy.

    A room that version 1 called gone or unknown although a decline of its ask had been announced was lost from sight: its
    decline stands, told. Only where the organiser's own copy spoke did `gone` mean that the room was no longer asked.
    """
    speaker = earlier.copies.get(earlier.voice)
    copies = {mailbox: as_copy_observation(copy) for mailbox, copy in earlier.copies.items()}
    spoken = {date.ref: date for date in copies[earlier.voice].dates} if speaker else {}
    organizers = [mailbox for mailbox, copy in sorted(copies.items()) if copy.role is CopyRole.ORGANIZER]
    organizer_speaks = bool(speaker) and earlier.voice in organizers
    refs = sorted({room.occurrence for room in earlier.rooms})
    dates = [_date(earlier, ref, spoken.get(ref), organizer_speaks=organizer_speaks) for ref in refs]
    record = MeetingRecord(
        provider=earlier.provider,
        meeting=earlier.meeting,
        organizer=next((copy.organizer for copy in copies.values() if copy.organizer), ""),
        organizer_mailbox=organizers[0] if organizers else "",
        dates=tuple(sorted(dates, key=lambda date: (date.start_ms, date.ref))),
        spoken={earlier.voice: speaker.observed_at_ms} if speaker else {},
        version=earlier.version,
    )
    decided = {date.ref: date for date in dates}
    return record, {
        mailbox: _copy(copy, decided, earlier.version, speaks=mailbox == earlier.voice)
        for mailbox, copy in copies.items()
    }


def _date(earlier: MeetingState, ref: str, spoken: CopyDate | None, *, organizer_speaks: bool) -> DateRecord:
    rooms = [room for room in earlier.rooms if room.occurrence == ref]
    newest = max(rooms, key=lambda room: room.since_ms)
    return DateRecord(
        ref=ref,
        start_ms=spoken.start_ms if spoken else newest.start_ms,
        end_ms=spoken.end_ms if spoken else newest.end_ms,
        seats=spoken.seats if spoken else 0,
        speaker=earlier.voice if spoken else "",
        in_sight=spoken is not None,
        rooms=tuple(_room(room, let_go=organizer_speaks and room.state in OVER) for room in rooms),
    )


def _room(room: RoomMemory, *, let_go: bool) -> RoomRecord:
    answer: RoomState | None = None if room.state is RoomState.UNKNOWN else room.state
    told = room.repeats.get(room.ask, 0) > 0
    lost = room.state in {RoomState.GONE, RoomState.UNKNOWN} and not let_go
    if lost:
        answer = RoomState.DECLINED if told else None
    return RoomRecord(
        room=room.room,
        state=RoomState.UNKNOWN if lost and told else room.state,
        answer=answer,
        start_ms=room.start_ms,
        end_ms=room.end_ms,
        asked_at_ms=room.asked_at_ms,
        answered_at_ms=room.since_ms if answer else 0,
        since_ms=room.since_ms,
        quiet=room.quiet,
        repeats=room.repeats,
        let_go=0 if let_go else None,
    )


def _copy(seen: CopyObservation, decided: Mapping[str, DateRecord], version: int, *, speaks: bool) -> CopyRecord:
    return CopyRecord(
        mailbox=seen.mailbox,
        provider=seen.provider,
        role=seen.role,
        dates=tuple(
            CopyEntry(
                ref=date.ref,
                event_id=date.event_id,
                rooms=tuple(sorted(date.rooms)),
                credible=date.credible,
                can_change=date.can_change,
                word=None if speaks else _differing(date, decided.get(date.ref), seen),
            )
            for date in seen.dates
            if date.rooms or date.ref in decided
        ),
        version=version,
    )


def _differing(date: CopyDate, decided: DateRecord | None, seen: CopyObservation) -> Word | None:
    may_speak = date.credible and (seen.role is CopyRole.ORGANIZER or seen.provider == Provider.GOOGLE)
    if decided is None or not may_speak or set(_answers(decided)) == set(_room_answers(date)):
        return None
    return Word(
        start_ms=date.start_ms,
        end_ms=date.end_ms,
        answers=date.rooms,
        seats=date.seats,
        observed_at_ms=seen.observed_at_ms,
    )


def _answers(decided: DateRecord) -> Iterator[tuple[str, RoomState]]:
    return ((room.room, room.answer) for room in decided.rooms if room.answer in _ANSWER_OF)


def _room_answers(date: CopyDate) -> Iterator[tuple[str, RoomState]]:
    return (
        (room, state) for room, answer in date.rooms.items() for state, words in _ANSWER_OF.items() if answer in words
    )
