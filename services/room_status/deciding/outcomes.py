"""
How published declines end, each once. Pure.

A published decline is *open* until one of the reasons of `OutcomeReason` is seen; its end is published in the commit of the
record that shows it closed. At most one decline of a room of a date is open: the one that stands, or (`RoomRecord.awaiting`)
one that stands no longer while a room of the date has yet to answer, since a room that is asked is no room that is had. What
is over ends by the clock alone, before anything else is heard of it, so that a late observation gives the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from services.room_status.deciding.expiry import NEVER_MS
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.meeting_state import (
    OVER,
    CopyRecord,
    DateRecord,
    MeetingRecord,
    RoomRecord,
    RoomState,
    current_decline,
    open_decline,
)
from shared.contracts.room_outcome import OutcomeReason
from shared.domain.keys import TenantKeys
from shared.providers.catalogue import profile_of


@dataclass(frozen=True, slots=True)
class Ending:
    """How one published decline ended."""

    decline: str
    room: str
    """The room that had declined."""
    reason: OutcomeReason
    at_ms: int
    regained: bool = False
    """Whether a room of the date has accepted."""


def usual_grace_ms(provider: str) -> int:
    """How long a provider is given to replace a room by itself, unless the settings say otherwise."""
    return profile_of(provider).traits.replaces_rooms_itself_ms


def close_past(record: MeetingRecord, now_ms: int, keys: TenantKeys) -> tuple[MeetingRecord, tuple[Ending, ...]]:
    """The record in which every decline is closed whose date is over at `now_ms`, and how these ended."""
    if first_end(record) > now_ms:
        return record, ()
    endings: list[Ending] = []
    dates = []
    for date in record.dates:
        rooms = []
        for room in date.rooms:
            decline = open_decline(record.meeting, date.ref, room, keys) if date.ends_of(room) <= now_ms else ""
            rooms.append(_marked(room, OutcomeReason.PAST, date.ends_of(room)) if decline else room)
            if decline:
                endings.append(Ending(decline, room.room, OutcomeReason.PAST, date.ends_of(room)))
        dates.append(msgspec.structs.replace(date, rooms=tuple(rooms)))
    return msgspec.structs.replace(record, dates=tuple(dates)), tuple(endings)


def first_end(record: MeetingRecord) -> int:
    """When the first date of an open decline is over, epoch milliseconds."""
    ends = (date.ends_of(room) for date in record.dates for room in date.rooms if _may_be_open(room))
    return min(ends, default=NEVER_MS)


def close_answered(
    date: DateRecord,
    earlier: DateRecord | None,
    meeting: MeetingRecord,
    *,
    now_ms: int,
    asked: Callable[[str], frozenset[str]],
    grace_ms: Callable[[str], int],
    keys: TenantKeys,
) -> tuple[DateRecord, tuple[Ending, ...]]:
    """
    The date with its declines closed by what was just seen of it, and how these ended.

    Args:
        date: As it is now.
        earlier: As it was before the look.
        meeting: Whose date it is.
        now_ms: When the look began.
        asked: A date's reference → the mailboxes whose people are asked to choose another room.
        grace_ms: A provider → how long it is given to replace a room by itself.
        keys: The tenant's.
    """
    if date == earlier:
        return date, ()
    before = {room.room: room for room in earlier.rooms} if earlier else {}
    closing = _Closing(date, meeting, now_ms, asked, grace_ms, keys)
    rooms = tuple(closing.close(room, before.get(room.room)) for room in date.rooms)
    return msgspec.structs.replace(date, rooms=rooms), tuple(closing.endings)


def close_dismissed(
    record: MeetingRecord, dismissal: PromptDismissal, copies: Mapping[str, CopyRecord], keys: TenantKeys
) -> tuple[MeetingRecord, tuple[Ending, ...]]:
    """
    The record in which a person has put a prompt away, and the end of its decline if that was the last person asked.

    One who is not asked, or a decline that is not open, changes nothing.
    """
    dates, endings = [], list[Ending]()
    for date in record.dates:
        rooms = []
        for room in date.rooms:
            if not room.awaiting and open_decline(record.meeting, date.ref, room, keys) == dismissal.decline:
                asked = mailboxes_asked(record, date.ref, copies)
                room, ended = _put_away(room, dismissal, asked)  # noqa: PLW2901
                endings += ended
            rooms.append(room)
        dates.append(msgspec.structs.replace(date, rooms=tuple(rooms)))
    return msgspec.structs.replace(record, dates=tuple(dates)), tuple(endings)


def mailboxes_asked(record: MeetingRecord, date: str, copies: Mapping[str, CopyRecord]) -> frozenset[str]:
    """The mailboxes whose people are asked to choose another room: the organiser's, else of all who may change the event."""
    if record.organizer_mailbox:
        return frozenset({record.organizer_mailbox})
    return frozenset(
        mailbox for mailbox, copy in copies.items() for entry in copy.dates if entry.ref == date and entry.can_change
    )


def endings_between(before: MeetingRecord, after: MeetingRecord | None, keys: TenantKeys) -> Iterator[Ending]:
    """How declines ended that time or people's acts, and no look, closed between two records of a meeting."""
    now = {(date.ref, room.room): room for date in after.dates for room in date.rooms} if after else {}
    for date in before.dates:
        for room in date.rooms:
            decline = open_decline(before.meeting, date.ref, room, keys)
            found = now.get((date.ref, room.room))
            if decline and found is None:
                yield Ending(decline, room.room, OutcomeReason.PAST, date.ends_of(room))
            elif decline and found and open_decline(before.meeting, date.ref, found, keys) != decline:
                reason = found.outcome or OutcomeReason.PAST
                yield Ending(decline, room.room, reason, found.outcome_at_ms or date.ends_of(room))


def _may_be_open(room: RoomRecord) -> bool:
    """Whether a decline of the room may be open, without asking for its id."""
    return bool(room.awaiting) or (room.answer is RoomState.DECLINED and not room.quiet and room.outcome is None)


def _marked(room: RoomRecord, reason: OutcomeReason, at_ms: int) -> RoomRecord:
    if room.awaiting:
        return msgspec.structs.replace(room, awaiting="", awaiting_from_ms=0)
    return msgspec.structs.replace(room, outcome=reason, outcome_at_ms=at_ms)


def _put_away(
    room: RoomRecord, dismissal: PromptDismissal, asked: frozenset[str]
) -> tuple[RoomRecord, tuple[Ending, ...]]:
    if dismissal.mailbox not in asked:
        return room, ()
    room = msgspec.structs.replace(room, put_away=tuple(sorted({*room.put_away, dismissal.mailbox})))
    if not asked <= {*room.put_away}:
        return room, ()
    ending = Ending(dismissal.decline, room.room, OutcomeReason.DISMISSED, dismissal.at_ms)
    return _marked(room, ending.reason, ending.at_ms), (ending,)


@dataclass(slots=True)
class _Closing:
    """The declines of one date, after a look."""

    date: DateRecord
    meeting: MeetingRecord
    now_ms: int
    asked: Callable[[str], frozenset[str]]
    grace_ms: Callable[[str], int]
    keys: TenantKeys
    endings: list[Ending] = field(default_factory=list)

    def close(self, room: RoomRecord, before: RoomRecord | None) -> RoomRecord:
        """The room with its open decline closed, if that has ended, or awaited."""
        name, ref = self.meeting.meeting, self.date.ref
        decline = open_decline(name, ref, before, self.keys) if before else ""
        present = current_decline(name, ref, room, self.keys)
        if before and decline:
            room = self._closed(room, before, decline, present)
        if present and present != decline and room.outcome is None and room.put_away:
            room = self._inherited(room, present)
        return room

    def _closed(self, room: RoomRecord, before: RoomRecord, decline: str, present: str) -> RoomRecord:
        from_ms = before.awaiting_from_ms or before.answered_at_ms
        replacement = _replacement(self.date, room, from_ms if decline == present else -1)
        reason = self._reason(room, before, decline, present, replacement)
        if reason is None:
            if decline == present:
                return room
            return msgspec.structs.replace(room, awaiting=decline, awaiting_from_ms=from_ms)
        if reason is OutcomeReason.REBOOKED and replacement and self._is_automatic(replacement, from_ms):
            reason = OutcomeReason.PROVIDER
        self._end(room, decline, reason)
        if decline == present:
            return _marked(room, reason, self.now_ms)
        return msgspec.structs.replace(room, awaiting="", awaiting_from_ms=0)

    def _reason(
        self, room: RoomRecord, before: RoomRecord, decline: str, present: str, replacement: RoomRecord | None
    ) -> OutcomeReason | None:
        """None: it is open."""
        if (room.start_ms, room.end_ms) != (before.start_ms, before.end_ms):
            return OutcomeReason.MOVED
        if room.answer is RoomState.ACCEPTED:
            return OutcomeReason.ACCEPTED
        if replacement:
            return OutcomeReason.REBOOKED
        if decline == present:
            return None
        if room.answer is RoomState.DECLINED:
            return OutcomeReason.REBOOKED
        pending = room.answer not in OVER or any(each.answer is RoomState.PENDING for each in self.date.rooms)
        return None if pending else OutcomeReason.CANCELLED

    def _is_automatic(self, replacement: RoomRecord, declined_at_ms: int) -> bool:
        within_ms = self.grace_ms(self.meeting.provider)
        return bool(within_ms) and 0 <= replacement.asked_at_ms - declined_at_ms <= within_ms

    def _inherited(self, room: RoomRecord, decline: str) -> RoomRecord:
        """The decline of a date of which the series' last prompt was put away."""
        asked = self.asked(self.date.ref)
        if not asked or not asked <= {*room.put_away}:
            return room
        self._end(room, decline, OutcomeReason.DISMISSED)
        return _marked(msgspec.structs.replace(room, awaiting=""), OutcomeReason.DISMISSED, self.now_ms)

    def _end(self, room: RoomRecord, decline: str, reason: OutcomeReason) -> None:
        has_room = any(each.state is RoomState.ACCEPTED for each in self.date.rooms)
        regained = has_room and reason not in {OutcomeReason.CANCELLED, OutcomeReason.DISMISSED}
        self.endings.append(Ending(decline, room.room, reason, self.now_ms, regained))


def _replacement(date: DateRecord, room: RoomRecord, after_ms: int) -> RoomRecord | None:
    """Another room of the date that has accepted, asked for after `after_ms`."""
    others = (each for each in date.rooms if each.room != room.room and each.state is RoomState.ACCEPTED)
    return next((each for each in others if each.asked_at_ms > after_ms), None)
