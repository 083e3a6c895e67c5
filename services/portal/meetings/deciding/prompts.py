"""What one person is shown of a meeting: its rooms with their states, and the prompts to choose another. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.contracts.meeting_state import MeetingState, RoomMemory, RoomState
from shared.contracts.observation import Observation, ObservedOccurrence
from shared.domain.attendees import Role
from shared.domain.keys import TenantKeys

STILL_ASKED = (RoomState.PENDING, RoomState.ACCEPTED)


class PromptState(StrEnum):
    """Where a prompt stands."""

    WAITING = "waiting"
    """The provider may still replace the room by itself: not shown yet."""
    OPEN = "open"
    CLOSED = "closed"


class Closing(StrEnum):
    """Why a prompt is closed."""

    REBOOKED = "rebooked"
    """The meeting has asked for a room again: another one, or the same one anew."""
    ACCEPTED = "accepted"
    """The room changed its mind."""
    CANCELLED = "cancelled"
    """The meeting, or its wish for this room, is gone."""
    PAST = "past"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One room of one date of a meeting, as its owner sees it."""

    meeting: str
    occurrence: str
    room: str
    state: RoomState
    quiet: bool
    """Declined before its owner connected: shown, never prompted for."""
    start_ms: int
    end_ms: int
    since_ms: int
    event_id: str
    """In the viewer's own calendar: what a live read or a swap names."""
    organizes: bool
    provider: str

    @property
    def id(self) -> str:
        """Names the line on a page and in the stream."""
        return f"{self.occurrence}.{self.room}"

    @property
    def series(self) -> str:
        """As `Prompt.series`."""
        return series_of(self.meeting, self.room)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A wish to the person who can fix it: choose another room."""

    id: str
    """The decline's id."""
    meeting: str
    occurrence: str
    room: str
    state: PromptState
    closing: Closing | None
    start_ms: int
    end_ms: int
    since_ms: int
    opens_at_ms: int
    event_id: str
    provider: str
    people: int
    """How many people the occurrence has, organiser included."""
    other_rooms: frozenset[str]
    """Rooms that this occurrence has asked already: no choice for it."""

    @property
    def series(self) -> str:
        """The same for all dates of a meeting on which the same room is asked."""
        return series_of(self.meeting, self.room)

    @property
    def open(self) -> bool:
        """Whether it is to be shown."""
        return self.state is PromptState.OPEN


@dataclass(frozen=True, slots=True)
class Sight:
    """A meeting as one of its owners may see it."""

    rooms: tuple[RoomLine, ...] = ()
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and when."""

    mailbox: str
    now_ms: int
    grace_ms: int
    """How long a decline must stand before its prompt opens."""
    dismissed: Container[str] = frozenset()
    """Ids of prompts that this person put away."""


def sight(meeting: MeetingState, keys: TenantKeys, viewer: Viewer) -> Sight:
    """
    What `viewer` sees of `meeting`.

    Rooms are those of dates in the viewer's own calendar that are not over. Prompts go to somebody who can act on them: the
    organiser, whose copy is believed and is the one in which the room can be changed. A guest whose copy speaks for the meeting
    while the organiser is not connected sees the state, and words that say who can act. Closed prompts are listed as long as the
    meeting is remembered.
    """
    copy = meeting.copies.get(viewer.mailbox)
    if copy is None:
        return Sight()
    mine = {occurrence.ref: occurrence for occurrence in copy.occurrences}
    is_voice = meeting.voice == viewer.mailbox
    lines = tuple(
        _line(meeting, room, mine[room.occurrence], copy)
        for room in meeting.rooms
        if room.occurrence in mine and _shown(room, mine[room.occurrence], viewer.now_ms, is_voice=is_voice)
    )
    can_act = is_voice and copy.role is Role.ORGANIZER
    prompts = tuple(_prompts(meeting, copy, mine, keys, viewer)) if can_act else ()
    return Sight(tuple(sorted(lines, key=lambda line: (line.start_ms, line.id))), prompts)


def hidden_lines(meeting: MeetingState, viewer: Viewer, shown: Container[str]) -> Iterator[RoomLine]:
    """
    The rooms that the meeting remembers and `viewer` is not shown now, as lines that are gone.

    For somebody who may have seen them at an earlier moment, of which nothing is known any more.
    """
    copy = meeting.copies.get(viewer.mailbox)
    dates = {occurrence.ref: occurrence for occurrence in copy.occurrences} if copy else {}
    for room in meeting.rooms:
        line = _line(meeting, room, dates.get(room.occurrence), copy)
        if line.id not in shown:
            yield replace(line, state=RoomState.GONE)


def series_of(meeting: str, room: str) -> str:
    """Names what a meeting asks of a room, on all its dates."""
    return f"{meeting}.{room}"


def dismissal_id(prompt: str, user: str) -> str:
    """Names the row that says that `user` put `prompt` away: a decline id and a user id hold no slash."""
    return f"{prompt}/{user}"


def declines_of(meeting: MeetingState, room: RoomMemory, keys: TenantKeys) -> Iterator[str]:
    """The ids of every decline of this room that was announced, the one that stands now included."""
    for ask, count in sorted(room.repeats.items()):
        for repeat in range(count):
            yield keys.decline(meeting.meeting, room.occurrence, room.room, ask, repeat)


def _shown(room: RoomMemory, date: ObservedOccurrence, now_ms: int, *, is_voice: bool) -> bool:
    """Whether the viewer's own copy lets them see this room, and it still matters."""
    visible = is_voice or room.room in date.rooms
    return visible and room.state is not RoomState.GONE and room.end_ms > now_ms


def _line(
    meeting: MeetingState, room: RoomMemory, date: ObservedOccurrence | None, copy: Observation | None
) -> RoomLine:
    return RoomLine(
        meeting=meeting.meeting,
        occurrence=room.occurrence,
        room=room.room,
        state=room.state,
        quiet=room.quiet,
        start_ms=room.start_ms,
        end_ms=room.end_ms,
        since_ms=room.since_ms,
        event_id=date.event_id if date else "",
        organizes=copy is not None and copy.role is Role.ORGANIZER,
        provider=meeting.provider,
    )


def _prompts(
    meeting: MeetingState,
    copy: Observation,
    mine: Mapping[str, ObservedOccurrence],
    keys: TenantKeys,
    viewer: Viewer,
) -> Iterator[Prompt]:
    for room in meeting.rooms:
        for decline in declines_of(meeting, room, keys):
            standing = room.state is RoomState.DECLINED and not room.quiet and decline == room.decline_id
            closing = _closing(decline, room, meeting, viewer, standing=standing)
            opens_at_ms = room.since_ms + viewer.grace_ms
            waiting = closing is None and opens_at_ms > viewer.now_ms
            state = PromptState.WAITING if waiting else PromptState.CLOSED if closing else PromptState.OPEN
            date = mine.get(room.occurrence)
            yield Prompt(
                id=decline,
                meeting=meeting.meeting,
                occurrence=room.occurrence,
                room=room.room,
                state=state,
                closing=closing,
                start_ms=room.start_ms,
                end_ms=room.end_ms,
                since_ms=room.since_ms,
                opens_at_ms=opens_at_ms,
                event_id=date.event_id if date else "",
                provider=meeting.provider,
                people=_people(copy, date),
                other_rooms=_asked(meeting, room),
            )


def _closing(
    decline: str, room: RoomMemory, meeting: MeetingState, viewer: Viewer, *, standing: bool
) -> Closing | None:
    """Why a decline asks for nothing (any more); None while it does."""
    if not standing:
        return _overtaken(room, meeting)
    if _asked_since(meeting, room):
        return Closing.REBOOKED
    if room.start_ms <= viewer.now_ms:
        return Closing.PAST
    return Closing.DISMISSED if decline in viewer.dismissed else None


def _overtaken(room: RoomMemory, meeting: MeetingState) -> Closing:
    """The room's decline no longer stands: what came in its place."""
    if room.state is RoomState.ACCEPTED:
        return Closing.ACCEPTED
    if room.state in (RoomState.PENDING, RoomState.DECLINED):
        return Closing.REBOOKED
    has_room = any(other.state in STILL_ASKED for other in _others(meeting, room))
    return Closing.REBOOKED if has_room else Closing.CANCELLED


def _asked_since(meeting: MeetingState, room: RoomMemory) -> bool:
    return any(other.state in STILL_ASKED and other.asked_at_ms > room.since_ms for other in _others(meeting, room))


def _others(meeting: MeetingState, room: RoomMemory) -> Iterator[RoomMemory]:
    return (other for other in meeting.rooms if other.occurrence == room.occurrence and other.room != room.room)


def _asked(meeting: MeetingState, room: RoomMemory) -> frozenset[str]:
    return frozenset(
        other.room
        for other in meeting.rooms
        if other.occurrence == room.occurrence and other.state not in (RoomState.GONE, RoomState.RELEASED)
    )


def _people(copy: Observation, date: ObservedOccurrence | None) -> int:
    """Providers disagree on whether the organiser is among the attendees; a set does not."""
    return len({*(date.people if date else ()), copy.organizer} - {""})
