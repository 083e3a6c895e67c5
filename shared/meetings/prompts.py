"""
What one person is shown of a meeting: its rooms with their states, and the prompts to choose another. Pure.

A prompt goes to whoever can change the rooms: the organiser, if connected; else, at Google, every guest whose copy may change
the event. The others see the state of each room and who can act. While nobody can be believed about a room its prompt is
neither shown nor closed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.contracts.meeting_state import (
    CopyEntry,
    CopyRecord,
    DateRecord,
    MeetingRecord,
    RoomRecord,
    RoomState,
    current_decline,
    declines_of,
)
from shared.crypto.meetings import StoredMeeting
from shared.domain.attendees import CopyRole
from shared.domain.keys import TenantKeys

STILL_ASKED = (RoomState.PENDING, RoomState.ACCEPTED)


class PromptState(StrEnum):
    """Where a prompt stands."""

    WAITING = "waiting"
    """The provider may still replace the room by itself: not shown yet."""
    OPEN = "open"
    OUT_OF_SIGHT = "out-of-sight"
    """Nobody can be believed about the room just now: neither shown nor closed."""
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
    NOT_YOURS = "not-yours"
    """Its person can no longer change the rooms: somebody else can."""


class Actor(StrEnum):
    """Who can change the rooms of a meeting."""

    YOU = "you"
    ORGANIZER = "organizer"
    """The organiser, who is connected."""
    ORGANIZER_AWAY = "organizer-away"
    """The organiser, who is not connected."""


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
    begins_ms: int
    """The instant at which it begins: of days, where the meeting is held."""
    ends_ms: int
    since_ms: int
    event_id: str
    """In the viewer's own calendar: what a live read or a swap names."""
    organizes: bool
    provider: str
    actor: Actor = Actor.YOU
    asked_at_ms: int = 0
    """When the room was asked for this time, as far as it was seen."""

    @property
    def id(self) -> str:
        """Names the line on a page and in the stream."""
        return line_id(self.occurrence, self.room)

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
    begins_ms: int
    """The instant at which it begins: of days, where the meeting is held."""
    ends_ms: int
    since_ms: int
    opens_at_ms: int
    event_id: str
    provider: str
    people: int
    """How many people the occurrence has, organiser included."""
    other_rooms: frozenset[str]
    """Rooms that this occurrence has asked already: no choice for it."""
    follows: tuple[str, ...] = ()
    """Earlier declines of the series: whoever put one of them away has put this one away."""

    @property
    def series(self) -> str:
        """The same for all dates of a meeting on which the same room is asked."""
        return series_of(self.meeting, self.room)

    @property
    def open(self) -> bool:
        """Whether it is to be shown."""
        return self.state is PromptState.OPEN


@dataclass(frozen=True, slots=True)
class MeetingView:
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
    """Ids of the declines whose prompts this person put away."""


def view_meeting(meeting: StoredMeeting, keys: TenantKeys, viewer: Viewer) -> MeetingView:
    """
    What `viewer` sees of `meeting`.

    Rooms are those of dates in the viewer's own calendar that are not over. Closed prompts are listed as long as the meeting is
    remembered.

    Args:
        meeting: Its record, and at least the viewer's own copy.
    """
    copy = meeting.copies.get(viewer.mailbox)
    if copy is None:
        return MeetingView()
    mine = {entry.ref: entry for entry in copy.dates}
    record = meeting.record
    lines = tuple(
        _line(record, date, room, copy, mine[date.ref])
        for date in record.dates
        if date.ref in mine
        for room in date.rooms
        if _shown(date, room, copy, mine[date.ref], viewer.now_ms)
    )
    return MeetingView(
        tuple(sorted(lines, key=lambda line: (line.start_ms, line.id))),
        tuple(_prompts(record, copy, mine, keys, viewer)),
    )


def actor_of(record: MeetingRecord, copy: CopyRecord | None, entry: CopyEntry | None) -> Actor:
    """Who can change the rooms of a date, as the owner of `copy` has to know it."""
    if copy is not None and copy.role is CopyRole.ORGANIZER:
        return Actor.YOU
    if record.organizer_mailbox:
        return Actor.ORGANIZER
    return Actor.YOU if entry is not None and entry.can_change else Actor.ORGANIZER_AWAY


def hidden_lines(meeting: StoredMeeting, viewer: Viewer, shown: Container[str]) -> Iterator[RoomLine]:
    """
    The rooms that the meeting remembers and `viewer` is not shown now, as lines that are gone.

    For somebody who may have seen them at an earlier moment, of which nothing is known any more.
    """
    copy = meeting.copies.get(viewer.mailbox)
    entries = {entry.ref: entry for entry in copy.dates} if copy else {}
    for date in meeting.record.dates:
        for room in date.rooms:
            line = _line(meeting.record, date, room, copy, entries.get(date.ref))
            if line.id not in shown:
                yield replace(line, state=RoomState.GONE)


def line_id(occurrence: str, room: str) -> str:
    """Names the line of a room on a date of a meeting."""
    return f"{occurrence}.{room}"


def series_of(meeting: str, room: str) -> str:
    """Names what a meeting asks of a room, on all its dates."""
    return f"{meeting}.{room}"


def dismissal_id(prompt: str, user: str) -> str:
    """Names the row that says that `user` put `prompt` away: a decline id and a user id hold no slash."""
    return f"{prompt}/{user}"


def _shown(date: DateRecord, room: RoomRecord, copy: CopyRecord, entry: CopyEntry, now_ms: int) -> bool:
    """Whether the viewer's own copy lets them see this room, and it still matters."""
    visible = copy.role is CopyRole.ORGANIZER or room.room in entry.rooms
    return visible and room.state is not RoomState.GONE and date.ends_of(room) > now_ms


def _line(
    record: MeetingRecord, date: DateRecord, room: RoomRecord, copy: CopyRecord | None, entry: CopyEntry | None
) -> RoomLine:
    return RoomLine(
        meeting=record.meeting,
        occurrence=date.ref,
        room=room.room,
        state=room.state,
        quiet=room.quiet and room.state is RoomState.DECLINED,
        start_ms=room.start_ms,
        end_ms=room.end_ms,
        begins_ms=date.begins_of(room),
        ends_ms=date.ends_of(room),
        since_ms=room.since_ms,
        event_id=entry.event_id if entry else "",
        organizes=copy is not None and copy.role is CopyRole.ORGANIZER,
        provider=record.provider,
        actor=actor_of(record, copy, entry),
        asked_at_ms=room.asked_at_ms,
    )


def _prompts(
    record: MeetingRecord, copy: CopyRecord, mine: Mapping[str, CopyEntry], keys: TenantKeys, viewer: Viewer
) -> Iterator[Prompt]:
    for date in record.dates:
        entry = mine.get(date.ref)
        could_act = copy.role is CopyRole.ORGANIZER or (entry is not None and entry.can_change)
        if could_act:
            for room in date.rooms:
                for decline in declines_of(record.meeting, date.ref, room, keys):
                    yield _prompt(record, date, room, copy, entry, decline, keys, viewer)


def _prompt(
    record: MeetingRecord,
    date: DateRecord,
    room: RoomRecord,
    copy: CopyRecord,
    entry: CopyEntry | None,
    decline: str,
    keys: TenantKeys,
    viewer: Viewer,
) -> Prompt:
    standing = decline == current_decline(record.meeting, date.ref, room, keys)
    closing = _closing(decline, room, date, viewer, standing=standing)
    shown = standing and closing is None and room.state is RoomState.DECLINED
    if shown and actor_of(record, copy, entry) is not Actor.YOU:
        closing = Closing.NOT_YOURS
    # Without a grace it opens with its decline: the clock that dated it may be a little ahead of this one.
    opens_at_ms = room.answered_at_ms + viewer.grace_ms if viewer.grace_ms else 0
    return Prompt(
        id=decline,
        meeting=record.meeting,
        occurrence=date.ref,
        room=room.room,
        state=_state(room, closing, waiting=opens_at_ms > viewer.now_ms),
        closing=closing,
        start_ms=room.start_ms,
        end_ms=room.end_ms,
        begins_ms=date.begins_of(room),
        ends_ms=date.ends_of(room),
        since_ms=room.answered_at_ms,
        opens_at_ms=opens_at_ms,
        event_id=entry.event_id if entry else "",
        provider=record.provider,
        people=max(date.seats, 1),
        other_rooms=_asked(date),
        follows=room.follows if standing else (),
    )


def _state(room: RoomRecord, closing: Closing | None, *, waiting: bool) -> PromptState:
    if closing is not None:
        return PromptState.CLOSED
    if room.state is not RoomState.DECLINED:
        return PromptState.OUT_OF_SIGHT
    return PromptState.WAITING if waiting else PromptState.OPEN


def _closing(decline: str, room: RoomRecord, date: DateRecord, viewer: Viewer, *, standing: bool) -> Closing | None:
    """Why a decline asks for nothing (any more); None while it does."""
    if not standing:
        return _overtaken(room, date)
    in_sight = room.state is RoomState.DECLINED
    if in_sight and _asked_since(date, room):
        return Closing.REBOOKED
    if date.ends_of(room) <= viewer.now_ms:
        return Closing.PAST
    if not in_sight:
        return None
    put_away = any(each in viewer.dismissed for each in (decline, *room.follows))
    return Closing.DISMISSED if put_away else None


def _overtaken(room: RoomRecord, date: DateRecord) -> Closing:
    """The room's decline no longer stands: what came in its place."""
    if room.answer is RoomState.ACCEPTED:
        return Closing.ACCEPTED
    if room.answer in (RoomState.PENDING, RoomState.DECLINED):
        return Closing.REBOOKED
    has_room = any(other.state in STILL_ASKED for other in _others(date, room))
    return Closing.REBOOKED if has_room else Closing.CANCELLED


def _asked_since(date: DateRecord, room: RoomRecord) -> bool:
    return any(other.state in STILL_ASKED and other.asked_at_ms > room.answered_at_ms for other in _others(date, room))


def _others(date: DateRecord, room: RoomRecord) -> Iterator[RoomRecord]:
    return (other for other in date.rooms if other.room != room.room)


def _asked(date: DateRecord) -> frozenset[str]:
    return frozenset(other.room for other in date.rooms if other.state not in (RoomState.GONE, RoomState.RELEASED))
