"""Every meeting and every copy of it: what each mailbox holds, what is busy, and the feed line for each change."""

from __future__ import annotations

from collections import defaultdict

from simulator.world.clock import AdjustableClock
from simulator.world.directory import Directory
from simulator.world.errors import NotThereError
from simulator.world.feed import Feed
from simulator.world.ids import URL_SAFE, Ids
from simulator.world.model import (
    AttendeeAnswer,
    Attendees,
    BusyTime,
    ChangeKind,
    Copy,
    Instance,
    Mailbox,
    Meeting,
    Room,
    copy_attendees,
)
from simulator.world.recurrence import instances

_EVENT_ID_LENGTH = 113


class Calendar:
    """Guarded by the world's lock."""

    def __init__(self, ids: Ids, clock: AdjustableClock, directory: Directory, feed: Feed) -> None:
        self._ids = ids
        self._clock = clock
        self._directory = directory
        self.feed = feed
        self.meetings: dict[str, Meeting] = {}
        self._copies: dict[str, dict[str, Copy]] = defaultdict(dict)
        self._removed: dict[str, dict[str, Copy]] = defaultdict(dict)

    # --- reading

    def meeting(self, meeting_id: str) -> Meeting:
        """By the world's id or by iCalUId. Raises NotThereError."""
        found = self.meetings.get(meeting_id)
        if found is None:
            found = next((one for one in self.meetings.values() if one.ical_uid == meeting_id), None)
        if found is None:
            message = f"no meeting {meeting_id}"
            raise NotThereError(message)
        return found

    def copies(self, mailbox_id: str) -> list[tuple[Copy, Meeting]]:
        """All that a mailbox holds."""
        return [(copy, self.meetings[copy.meeting_id]) for copy in self._copies[mailbox_id].values()]

    def copy(self, mailbox_id: str, event_id: str) -> tuple[Copy, Meeting]:
        """One copy by its event id in that mailbox. Raises NotThereError (see `removed`)."""
        for copy in self._copies[mailbox_id].values():
            if copy.event_id == event_id:
                return copy, self.meetings[copy.meeting_id]
        message = f"no event {event_id} in this mailbox"
        raise NotThereError(message)

    def removed(self, mailbox_id: str, event_id: str) -> Copy | None:
        """The copy as it was when it left the mailbox, or None if it never was there or is back."""
        return self._removed[mailbox_id].get(event_id)

    def copy_of(self, mailbox_id: str, meeting_id: str) -> Copy | None:
        """What a mailbox holds of a meeting."""
        return self._copies[mailbox_id].get(meeting_id)

    def dates(self, copy: Copy) -> list[Instance]:
        """The dates of a meeting that concern this copy's owner, cancelled ones included; a room that declined a
        date does not hold it.
        """
        meeting = self.meetings[copy.meeting_id]
        owner = self._directory.mailbox(copy.mailbox_id)
        return [date for date in instances(meeting) if copy.is_organizer or self._concerns(copy, owner, date)]

    @staticmethod
    def own_answer(copy: Copy, occurrence: int | None) -> AttendeeAnswer:
        """What the owner has said to this date: what was said to it alone, else to the whole."""
        return copy.answers.get(occurrence, copy.answers.get(None, AttendeeAnswer.NONE))

    def busy(self, address: str, from_ms: int, to_ms: int, *, without: str | None = None) -> list[BusyTime]:
        """What a mailbox holds in [from, to), ascending; `without` leaves out one meeting. Raises NotThereError."""
        owner = self._directory.mailbox(address)
        found = []
        for copy, meeting in self.copies(owner.id):
            if meeting.id == without or copy.private.get("showAs", meeting.details.get("showAs")) == "free":
                continue
            for date in self.dates(copy):
                answer = AttendeeAnswer.ACCEPTED if copy.is_organizer else self.own_answer(copy, date.key)
                if (
                    not date.cancelled
                    and answer != AttendeeAnswer.DECLINED
                    and date.start_ms < to_ms
                    and date.end_ms > from_ms
                ):
                    found.append(BusyTime(date.start_ms, date.end_ms, answer, meeting.id, date.title))
        return sorted(found, key=lambda one: (one.start_ms, one.end_ms, one.meeting_id))

    def participants(self, meeting: Meeting) -> list[Copy]:
        """Every copy of a meeting, the organiser's first."""
        copies = [held[meeting.id] for held in self._copies.values() if meeting.id in held]
        # The order must not depend on which mailbox was read first: one seed, one history.
        return sorted(copies, key=lambda copy: (not copy.is_organizer, copy.created_ms, copy.mailbox_id))

    # --- writing (by bookings and desk)

    def put_copy(self, owner: Mailbox, meeting: Meeting, *, is_organizer: bool, cause: str) -> Copy:
        """Give a mailbox its copy (or the one it has) and say so in its feed."""
        now_ms = self._clock.now_ms()
        held = self._copies[owner.id].get(meeting.id)
        if held is not None:
            return held
        copy = Copy(owner.id, meeting.id, self._event_id(owner, meeting), is_organizer, now_ms, now_ms)
        self._copies[owner.id][meeting.id] = copy
        self._removed[owner.id].pop(copy.event_id, None)
        copy.invited = copy_attendees(meeting.attendees)
        self.feed.append(copy, "created", now_ms, occurrence=None, cause=cause)
        return copy

    def touch(
        self,
        copy: Copy,
        *,
        cause: str,
        occurrence: int | None = None,
        invited: Attendees | None = None,
        kind: ChangeKind = "updated",
    ) -> None:
        """A copy has changed: new version, new feed line; `invited` is what the organiser has just sent."""
        now_ms = self._clock.now_ms()
        copy.version += 1
        copy.modified_ms = now_ms
        if invited is not None:
            copy.invited = copy_attendees(invited)
        self.feed.append(copy, kind, now_ms, occurrence=occurrence, cause=cause)

    def drop_copy(self, copy: Copy, *, cause: str) -> None:
        """The copy leaves its mailbox."""
        self._copies[copy.mailbox_id].pop(copy.meeting_id, None)
        self._removed[copy.mailbox_id][copy.event_id] = copy
        self.touch(copy, cause=cause, kind="deleted")

    def _concerns(self, copy: Copy, owner: Mailbox, date: Instance) -> bool:
        if not any(address in date.attendees for address in owner.addresses):
            return False
        return not (isinstance(owner, Room) and self.own_answer(copy, date.key) == AttendeeAnswer.DECLINED)

    def _event_id(self, owner: Mailbox, meeting: Meeting) -> str:
        if owner.provider == "google":
            return meeting.event_id
        nth = self._ids.count(f"event-{owner.id}-{meeting.id}")
        return "AAMkAG" + self._ids.token(_EVENT_ID_LENGTH, URL_SAFE[:62], "event", owner.id, meeting.id, nth) + "="
