"""What an organiser does: book, change, move, cancel; a meeting, a whole series, or one date of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.world.calendar import Calendar
from simulator.world.clock import AdjustableClock
from simulator.world.desk import Desk
from simulator.world.directory import Directory
from simulator.world.drafts import Edit, MeetingDraft
from simulator.world.errors import InvalidError, NotThereError, TakenError
from simulator.world.faults import Faults
from simulator.world.guests import Guests, guests_of
from simulator.world.history import FactKind, History
from simulator.world.ids import BASE32HEX, Ids
from simulator.world.model import (
    AttendeeAnswer,
    Meeting,
    Override,
    Room,
    copy_attendees,
)


class Bookings:
    """Guarded by the world's lock."""

    def __init__(
        self,
        *,
        ids: Ids,
        clock: AdjustableClock,
        directory: Directory,
        calendar: Calendar,
        desk: Desk,
        history: History,
        faults: Faults,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._directory = directory
        self._calendar = calendar
        self._desk = desk
        self._history = history
        self._faults = faults

    def create(self, organizer: str, draft: MeetingDraft) -> Meeting:
        """
        Book a meeting; its rooms are asked at once and answer later.

        Args:
            organizer: user id or address.
            draft: what to book; a transaction id seen before gives the meeting made then.

        Raises:
            NotThereError: no such organiser. InvalidError: end before start, unknown time zone, too many attendees.
            TakenError: the client-chosen event id exists, be it cancelled.
        """
        owner = self._directory.mailbox(organizer)
        known = self._repeated(owner.id, draft.transaction_id)
        if known is not None:
            return known
        _check(draft.start_ms, draft.end_ms, draft.time_zone)
        if draft.event_id and any(one.event_id == draft.event_id for one in self._calendar.meetings.values()):
            message = "the requested identifier already exists"
            raise TakenError(message)
        now_ms = self._clock.now_ms()
        nth = self._ids.count("meeting")
        meeting_id = self._ids.guid("meeting", nth)
        event_id = draft.event_id or self._ids.token(26, BASE32HEX, "meeting", nth)
        meeting = Meeting(
            id=meeting_id,
            tenant_id=owner.tenant_id,
            organizer_id=owner.id,
            ical_uid=draft.ical_uid or self._ical_uid(owner.provider, event_id, nth),
            event_id=event_id,
            title=draft.title,
            start_ms=draft.start_ms,
            end_ms=draft.end_ms,
            time_zone=draft.time_zone,
            created_ms=now_ms,
            modified_ms=now_ms,
            recurrence=draft.recurrence,
            details=dict(draft.details),
            transaction_id=draft.transaction_id,
        )
        guests = guests_of(self._directory, {}, draft.invitees, owner.address)
        meeting.attendees = guests.now
        self._calendar.meetings[meeting.id] = meeting
        self._fact("meeting-created", meeting)
        self._calendar.put_copy(owner, meeting, is_organizer=True, cause="created")
        self._invite(meeting, guests.added, None)
        return meeting

    def update(self, meeting: Meeting, edit: Edit, occurrence: int | None = None) -> None:
        """
        Change a meeting, a whole series, or one date (`occurrence`: its original start).

        Another time resets every answer and asks every room again. Otherwise answers of attendees who stay are kept,
        unless the edit names an answer; rooms that are new, or whose answer the edit resets, are asked; rooms that
        are left out are released.

        Raises:
            NotThereError: no such date, or the meeting is cancelled. InvalidError: end before start, bad time zone.
        """
        if meeting.cancelled:
            message = f"meeting {meeting.id} is cancelled"
            raise NotThereError(message)
        target: Meeting | Override = meeting if occurrence is None else self._desk.override(meeting, occurrence)
        start_ms = target.start_ms if edit.start_ms is None else edit.start_ms
        end_ms = target.end_ms if edit.end_ms is None else edit.end_ms
        _check(start_ms, end_ms, edit.time_zone or meeting.time_zone)
        moved = (start_ms, end_ms) != (target.start_ms, target.end_ms)
        owner = self._directory.mailbox(meeting.organizer_id)
        guests = Guests(target.attendees, [], [], [])
        if edit.invitees is not None:
            guests = guests_of(self._directory, target.attendees, edit.invitees, owner.address)
        target.start_ms, target.end_ms, target.attendees = start_ms, end_ms, guests.now
        if edit.title is not None:
            target.title = edit.title
        if edit.details is not None:
            merged = {**target.details, **edit.details}
            target.details = {name: value for name, value in merged.items() if value is not None}
        if occurrence is None:
            self._series_follows(meeting, guests, edit, moved=moved)
        meeting.sequence += 1
        meeting.modified_ms = self._clock.now_ms()
        asks_again = moved and not self._faults.contradicts(f"{owner.provider}.move-asks-again")
        self._tell(meeting, occurrence, guests, moved=asks_again)

    def cancel(self, meeting: Meeting, occurrence: int | None = None) -> None:
        """Cancel a meeting, a whole series, or one date. Raises NotThereError."""
        if meeting.cancelled:
            message = f"meeting {meeting.id} is cancelled already"
            raise NotThereError(message)
        self._fact("meeting-cancelled", meeting, occurrence=occurrence)
        if occurrence is not None:
            self._desk.override(meeting, occurrence).cancelled = True
            for copy in self._calendar.participants(meeting):
                self._calendar.touch(copy, cause="occurrence-cancelled", occurrence=occurrence)
            return
        meeting.cancelled = True
        meeting.modified_ms = self._clock.now_ms()
        meeting.sequence += 1
        for copy in self._calendar.participants(meeting):
            self._calendar.drop_copy(copy, cause="cancelled")

    def remove_copy(self, mailbox_id: str, meeting: Meeting) -> None:
        """A guest deletes the own copy; nobody else is told. Raises NotThereError."""
        copy = self._calendar.copy_of(mailbox_id, meeting.id)
        if copy is None:
            message = "this mailbox holds no copy of the meeting"
            raise NotThereError(message)
        self._calendar.drop_copy(copy, cause="removed-by-owner")

    # --- how one edit spreads

    def _series_follows(self, meeting: Meeting, guests: Guests, edit: Edit, *, moved: bool) -> None:
        """
        A moved series drops its exceptions; another guest list does not reach them: they keep their own.

        Dates that are no exceptions have no attendees of their own, so that the list reaches past ones as well.
        """
        if edit.time_zone:
            meeting.time_zone = edit.time_zone
        if moved:
            meeting.overrides.clear()
        provider = self._directory.mailbox(meeting.organizer_id).provider
        if not self._faults.contradicts(f"{provider}.series-at-once"):
            return
        for override in meeting.overrides.values():
            for address in guests.removed:
                override.attendees.pop(address, None)
            fresh = copy_attendees({address: guests.now[address] for address in [*guests.added, *guests.asked_again]})
            override.attendees.update(fresh)

    def _tell(self, meeting: Meeting, occurrence: int | None, guests: Guests, *, moved: bool) -> None:
        kind: FactKind = "meeting-moved" if moved else "meeting-changed"
        self._fact(kind, meeting, occurrence=occurrence)
        if moved:
            for attendee in guests.now.values():
                attendee.answer, attendee.answered_ms = AttendeeAnswer.NONE, None
        self._uninvite(meeting, guests, occurrence)
        added = {self._directory.mailbox(one).id for one in guests.added if self._directory.find(one)}
        for copy in self._calendar.participants(meeting):
            if copy.mailbox_id in added or copy.mailbox_id in self._directory.rooms:
                continue
            if moved and not copy.is_organizer:
                copy.answers = {} if occurrence is None else {**copy.answers, occurrence: AttendeeAnswer.NONE}
            self._calendar.touch(
                copy, cause="moved" if moved else "changed", occurrence=occurrence, invited=meeting.attendees
            )
        self._invite(meeting, guests.added, occurrence)
        again = [one for one in guests.now if one not in guests.added] if moved else guests.asked_again
        for address in again:
            if isinstance(self._directory.find(address), Room):
                if moved and occurrence is None:
                    self._forget_dates(address, meeting)
                self._desk.ask(meeting, address, occurrence)
        if not moved:
            self._refresh_rooms(meeting, {*guests.added, *guests.asked_again}, occurrence)

    def _forget_dates(self, address: str, meeting: Meeting) -> None:
        copy = self._calendar.copy_of(self._directory.room(address).id, meeting.id)
        if copy is not None:
            copy.answers = {}

    def _refresh_rooms(self, meeting: Meeting, asked: set[str], occurrence: int | None) -> None:
        for address in meeting.attendees_at(occurrence):
            room = self._directory.find(address)
            copy = self._calendar.copy_of(room.id, meeting.id) if isinstance(room, Room) else None
            if copy is not None and address not in asked:
                self._calendar.touch(copy, cause="changed", occurrence=occurrence, invited=meeting.attendees)

    def _invite(self, meeting: Meeting, addresses: list[str], occurrence: int | None) -> None:
        for address in addresses:
            mailbox = self._directory.find(address)
            if isinstance(mailbox, Room):
                self._desk.ask(meeting, address, occurrence)
            elif mailbox is not None:
                copy = self._calendar.put_copy(mailbox, meeting, is_organizer=False, cause="invited")
                answer = meeting.attendees_at(occurrence)[address].answer
                if answer != AttendeeAnswer.NONE:
                    copy.answers[occurrence] = answer

    def _uninvite(self, meeting: Meeting, guests: Guests, occurrence: int | None) -> None:
        new_rooms = [one for one in guests.added if isinstance(self._directory.find(one), Room)]
        for address in guests.removed:
            mailbox = self._directory.find(address)
            if isinstance(mailbox, Room):
                replacement = self._directory.room(new_rooms.pop(0)).id if new_rooms else None
                if replacement:
                    self._fact("room-swapped", meeting, room=replacement, occurrence=occurrence, replaces=mailbox.id)
                else:
                    self._fact("room-removed", meeting, room=mailbox.id, occurrence=occurrence)
            copy = self._calendar.copy_of(mailbox.id, meeting.id) if mailbox else None
            if copy is None:
                continue
            if self._calendar.dates(copy):
                self._calendar.touch(copy, cause="occurrence-cancelled", occurrence=occurrence)
            else:
                self._calendar.drop_copy(copy, cause="uninvited")

    def _repeated(self, owner_id: str, transaction_id: str | None) -> Meeting | None:
        if transaction_id is None or self._faults.contradicts("microsoft.transaction-id"):
            return None
        held = [meeting for _, meeting in self._calendar.copies(owner_id)]
        return next((one for one in held if one.transaction_id == transaction_id), None)

    def _ical_uid(self, provider: str, event_id: str, nth: int) -> str:
        if provider == "google":
            return f"{event_id}@google.com"
        return "040000008200E00074C5B7101A82E008" + self._ids.token(80, "0123456789ABCDEF", "ical", nth)

    def _fact(self, kind: FactKind, meeting: Meeting, **more: object) -> None:
        self._history.add(kind, self._clock.now_ms(), meeting.tenant_id, meeting.id, **more)


def _check(start_ms: int, end_ms: int, time_zone: str) -> None:
    if end_ms < start_ms:
        message = "the end is before the start"
        raise InvalidError(message)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"unknown time zone {time_zone!r}: use an IANA name"
        raise InvalidError(message) from error
