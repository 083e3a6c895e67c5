"""What a room would say to a meeting as things stand: its rules, put against what it already holds."""

from __future__ import annotations

from simulator.world.calendar import Calendar
from simulator.world.clock import AdjustableClock
from simulator.world.directory import Directory
from simulator.world.model import Attendee, AttendeeAnswer, Instance, Meeting, Room
from simulator.world.recurrence import instances
from simulator.world.rules import Slot, Verdict, verdict

LARGEST_REPLACED_ROOM = 70
"""Seats: Google replaces rooms up to this size by itself."""


class Judge:
    """Changes nothing. Guarded by the world's lock."""

    def __init__(self, clock: AdjustableClock, directory: Directory, calendar: Calendar) -> None:
        self._clock = clock
        self._directory = directory
        self._calendar = calendar

    def verdict(self, meeting: Meeting, room: Room, occurrence: int | None) -> Verdict:
        """What the room says now to the meeting, the whole series, or one date of it."""
        organizer = self._directory.mailbox(meeting.organizer_id)
        slots = [
            Slot(date.start_ms, date.end_ms, self._taken(room, date), date.key)
            for date in instances(meeting)
            if not date.cancelled and room.address in date.attendees and (occurrence is None or date.key == occurrence)
        ]
        return verdict(
            room.rules,
            slots,
            organizer=organizer.address,
            foreign=organizer.tenant_id != room.tenant_id,
            now_ms=self._clock.now_ms(),
            provider=room.provider,
        )

    def replacement(self, meeting: Meeting, old: Room, occurrence: int | None) -> Room | None:
        """The smallest room of the same building that is large enough and would accept, or None."""
        for room in sorted(self._directory.rooms_of(old.tenant_id), key=lambda one: one.capacity):
            if room.building != old.building or not old.capacity <= room.capacity <= LARGEST_REPLACED_ROOM:
                continue
            if room.address not in meeting.attendees_at(occurrence) and self._would_accept(meeting, room, occurrence):
                return room
        return None

    def _would_accept(self, meeting: Meeting, room: Room, occurrence: int | None) -> bool:
        # The question needs the room among the attendees; it is taken out again whatever the answer.
        attendees = meeting.attendees_at(occurrence)
        attendees[room.address] = Attendee(room.address, room.name, "resource")
        try:
            decided = self.verdict(meeting, room, occurrence)
            return decided.answer == AttendeeAnswer.ACCEPTED and not decided.declined_dates
        finally:
            del attendees[room.address]

    def _taken(self, room: Room, date: Instance) -> bool:
        busy = self._calendar.busy(room.address, date.start_ms, date.end_ms, without=date.meeting_id)
        return any(one.answer == AttendeeAnswer.ACCEPTED for one in busy)
