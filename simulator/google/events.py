"""Single events through the API: get, insert, patch, update, delete, and the instances of a series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.google import parse, rrule
from simulator.google.access import ReachedCalendar, demand_writer
from simulator.google.errors import ApiError, deleted, invalid, not_found
from simulator.google.event_lookup import Found, check_etag, find
from simulator.google.query import TimeSpan
from simulator.google.render import SHARED_FLAGS, SHARED_TEXT, GoogleRenderer
from simulator.world import AttendeeAnswer, Copy, InvalidError, Invitee, NotOrganizerError, Room, TakenError, World


class Events:
    """Every method is called inside the world's lock and raises ApiError."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, reached: ReachedCalendar, event_id: str, renderer: GoogleRenderer) -> dict[str, Any]:
        """An event, cancelled ones included."""
        found = find(self._world, reached.mailbox, event_id)
        if not found.alive and self._world.faults.contradicts("google.deleted-event-readable"):
            not_found()
        return found.render(renderer)

    def insert(self, reached: ReachedCalendar, sent: Mapping[str, Any]) -> dict[str, Any]:
        """A new event; 409 `duplicate` when the client-chosen id was ever taken."""
        demand_writer(reached)
        draft = parse.draft(sent, organizer=reached.user.address, zone=reached.user.time_zone, is_room=self._is_room)
        if draft.event_id in self._event_ids() and self._world.faults.contradicts("google.own-event-id"):
            draft.event_id = None
        try:
            meeting = self._world.bookings.create(reached.user.id, draft)
        except TakenError as error:
            raise ApiError(409, "duplicate", "The requested identifier already exists.") from error
        except InvalidError as error:
            invalid(str(error))
        copy = self._world.calendar.copy_of(reached.user.id, meeting.id)
        if copy is not None:
            copy.private.update(self._own(copy, sent))
        return find(self._world, reached.user, meeting.event_id).render(GoogleRenderer(self._world, reached.user))

    def patch(
        self, reached: ReachedCalendar, event_id: str, sent: Mapping[str, Any], if_match: str | None
    ) -> dict[str, Any]:
        """Change what is named; an array of attendees replaces the old one."""
        demand_writer(reached)
        renderer = GoogleRenderer(self._world, reached.user)
        found = find(self._world, reached.user, event_id)
        check_etag(found, renderer, if_match)
        if not found.alive:
            raise ApiError(403, "forbidden", "Forbidden")
        if sent.get("status") == "cancelled":
            self._remove(reached, found)
            return find(self._world, reached.user, event_id).render(renderer)
        self._same_recurrence(found, sent)
        sent = self._merge_shared_properties(found, sent)
        if found.copy.is_organizer or found.meeting.details.get("guestsCanModify"):
            self._organizer_changes(found, reached, sent)
        else:
            self._guest_changes(found, reached, renderer, sent)
        self._own_changes(found, sent)
        return find(self._world, reached.user, event_id).render(renderer)

    def update(
        self, reached: ReachedCalendar, event_id: str, sent: Mapping[str, Any], if_match: str | None
    ) -> dict[str, Any]:
        """Replace the event: what is left out gets its default, which on a guest's copy counts as setting it."""
        if sent.get("start") is None or sent.get("end") is None:
            invalid("Missing start time." if sent.get("start") is None else "Missing end time.", "start")
        cleared: dict[str, Any] = dict.fromkeys((*SHARED_TEXT, *SHARED_FLAGS))
        cleared |= {"summary": "", "attendees": [], "transparency": None, "colorId": None, "reminders": None}
        return self.patch(reached, event_id, {**cleared, **sent}, if_match)

    def delete(self, reached: ReachedCalendar, event_id: str, if_match: str | None) -> None:
        """The organiser cancels; a guest declines and lets go of the own copy."""
        demand_writer(reached)
        found = find(self._world, reached.user, event_id)
        check_etag(found, GoogleRenderer(self._world, reached.user), if_match)
        if not found.alive:
            deleted()
        self._remove(reached, found)

    def dates(
        self, reached: ReachedCalendar, event_id: str, renderer: GoogleRenderer, times: TimeSpan, *, cancelled: bool
    ) -> list[dict[str, Any]]:
        """The instances of a series that touch a stretch of time; `cancelled` includes those that are."""
        found = find(self._world, reached.mailbox, event_id)
        if found.meeting.recurrence is None or found.date is not None:
            invalid("The event is not recurring.", "eventId")
        if not found.alive:
            deleted()
        return [
            renderer.instance(found.copy, found.meeting, date)
            for date in self._world.calendar.dates(found.copy)
            if (cancelled or not date.cancelled) and times.touches(date.start_ms, date.end_ms)
        ]

    def _remove(self, reached: ReachedCalendar, found: Found) -> None:
        if found.copy.is_organizer:
            self._world.bookings.cancel(found.meeting, found.key)
            return
        self._world.desk.answer(found.meeting, reached.user.address, AttendeeAnswer.DECLINED, occurrence=found.key)
        if found.key is None:
            self._world.bookings.remove_copy(reached.user.id, found.meeting)

    def _organizer_changes(self, found: Found, reached: ReachedCalendar, sent: Mapping[str, Any]) -> None:
        edit = parse.edit(
            sent,
            organizer=self._world.directory.mailbox(found.meeting.organizer_id).address,
            zone=found.meeting.time_zone,
            is_room=self._is_room,
            known=found.meeting.attendees_at(found.key),
        )
        if edit is not None and self._world.faults.contradicts("google.answers-survive-patch"):
            edit.invitees = [replace(one, answer=AttendeeAnswer.NONE) for one in edit.invitees or []] or edit.invitees
        if edit is None:
            return
        try:
            self._world.bookings.update(found.meeting, edit, found.key)
        except (InvalidError, NotOrganizerError) as error:
            invalid(str(error))
        if not found.copy.is_organizer:
            self._answer(found, reached, sent)

    def _guest_changes(
        self, found: Found, reached: ReachedCalendar, renderer: GoogleRenderer, sent: Mapping[str, Any]
    ) -> None:
        now = found.render(renderer)
        changed = {name for name in parse.SHARED_FIELDS & set(sent) if (sent[name] or None) != (now.get(name) or None)}
        if changed:
            message = "Shared properties can only be changed by the organizer of the event."
            raise ApiError(403, "forbiddenForNonOrganizer", message, domain="calendar")
        self._answer(found, reached, sent)
        self._invite(found, reached, sent)

    def _answer(self, found: Found, reached: ReachedCalendar, sent: Mapping[str, Any]) -> None:
        for entry in parse.attendees(sent.get("attendees") or []):
            said = parse.ANSWERS[entry.get("responseStatus") or "needsAction"]
            if entry["email"] not in reached.user.addresses or said == AttendeeAnswer.NONE:
                continue
            if said != self._world.calendar.own_answer(found.copy, found.key) or entry.get("comment"):
                comment = str(entry.get("comment") or "")
                self._world.desk.answer(found.meeting, entry["email"], said, occurrence=found.key, comment=comment)

    def _invite(self, found: Found, reached: ReachedCalendar, sent: Mapping[str, Any]) -> None:
        """A guest may bring others along, but removes nobody."""
        known = found.meeting.attendees_at(found.key)
        organizer = self._world.directory.mailbox(found.meeting.organizer_id).address
        entries = {one["email"]: one for one in parse.attendees(sent.get("attendees") or [])}
        fresh = [entries[email] for email in entries if email not in known and email != organizer]
        if not fresh:
            return
        if found.meeting.details.get("guestsCanInviteOthers") is False:
            raise ApiError(403, "forbiddenForNonOrganizer", "Guests cannot invite others.", domain="calendar")
        kept = [Invitee(one.address, one.name, one.role) for one in known.values()]
        edit = parse.edit(
            {"attendees": fresh, "attendeesOmitted": True},
            organizer=reached.user.address,
            zone=found.meeting.time_zone,
            is_room=self._is_room,
            known={},
        )
        if edit is not None:
            edit.invitees = [*kept, *(edit.invitees or [])]
            self._world.bookings.update(found.meeting, edit, found.key)

    def _own_changes(self, found: Found, sent: Mapping[str, Any]) -> None:
        own = self._own(found.copy, sent)
        changed = {name: value for name, value in own.items() if value != found.copy.private.get(name)}
        if changed:
            found.copy.private.update(changed)
            self._world.calendar.touch(found.copy, cause="own-fields", occurrence=found.key)

    @staticmethod
    def _own(copy: Copy, sent: Mapping[str, Any]) -> dict[str, Any]:
        own = parse.own(sent)
        if "extendedProperties" in own:
            before = copy.private.get("extendedProperties")
            own["extendedProperties"] = parse.merge_properties(before, own["extendedProperties"])
        return own

    def _merge_shared_properties(self, found: Found, sent: Mapping[str, Any]) -> Mapping[str, Any]:
        extended = sent.get("extendedProperties")
        if not isinstance(extended, dict) or "shared" not in extended:
            return sent
        before = found.meeting.details.get("sharedExtendedProperties")
        merged = parse.merge_properties(before, extended["shared"] or {})
        if not found.copy.is_organizer:
            # Editable by every attendee, unlike the other shared properties.
            found.meeting.details["sharedExtendedProperties"] = merged
            for copy in self._world.calendar.participants(found.meeting):
                self._world.calendar.touch(copy, cause="shared-properties", occurrence=found.key)
            return {**sent, "extendedProperties": {"private": extended["private"]} if "private" in extended else {}}
        return {**sent, "extendedProperties": {**extended, "shared": merged}}

    def _same_recurrence(self, found: Found, sent: Mapping[str, Any]) -> None:
        if "recurrence" not in sent or found.date is not None:
            return
        meeting = found.meeting
        wanted = rrule.parse_recurrence(sent["recurrence"] or [], meeting.start_ms, meeting.time_zone)
        if wanted != meeting.recurrence:
            invalid("The simulator does not change the recurrence of an existing event.", "recurrence")

    def _event_ids(self) -> set[str]:
        return {one.event_id for one in self._world.calendar.meetings.values()}

    def _is_room(self, address: str) -> bool:
        return isinstance(self._world.directory.find(address), Room)
