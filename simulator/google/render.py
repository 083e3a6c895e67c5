"""Copies of meetings as Google's event resources: single events, series, instances and what is left of deleted ones."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from simulator.google import rrule, times
from simulator.world import Attendee, AttendeeAnswer, Copy, Instance, Mailbox, Meeting, Room, World

RESPONSES = {
    AttendeeAnswer.NONE: "needsAction",
    AttendeeAnswer.ACCEPTED: "accepted",
    AttendeeAnswer.DECLINED: "declined",
    AttendeeAnswer.TENTATIVE: "tentative",
}
MOST_PROPAGATED_GUESTS = 200
"""Above this many guests, answers do not reach the guests' copies."""
SHARED_TEXT = ("description", "location", "visibility")
SHARED_FLAGS = ("guestsCanModify", "guestsCanInviteOthers", "guestsCanSeeOtherGuests", "anyoneCanAddSelf")
OWN_FIELDS = ("transparency", "colorId", "reminders")
ORGANIZER_ATTENDS = "organizerAttends"


class GoogleRenderer:
    """Renders one mailbox's copies. Used inside the world's lock."""

    def __init__(
        self, world: World, owner: Mailbox, *, max_attendees: int | None = None, zone: str | None = None
    ) -> None:
        self._world = world
        self._owner = owner
        self._max_attendees = max_attendees
        self._zone = zone

    def contradicts(self, name: str) -> bool:
        """Whether the opposite of a belief about Google is played."""
        return self._world.faults.contradicts(f"google.{name}")

    def _is_room(self, one: Attendee) -> bool:
        return isinstance(self._world.directory.find(one.address), Room)

    def whole(self, copy: Copy, meeting: Meeting) -> dict[str, Any]:
        """The event itself, or the series with its recurrence."""
        body = self._common(copy, meeting, meeting.title, meeting.attendees, meeting.details, None)
        body |= self._span(meeting, meeting.start_ms, meeting.end_ms)
        if meeting.recurrence is not None:
            body["recurrence"] = rrule.write_recurrence(meeting.recurrence)
        return _sealed(body, copy)

    def instance(self, copy: Copy, meeting: Meeting, date: Instance) -> dict[str, Any]:
        """One date of a series, exceptional or not."""
        key = date.original_start_ms
        if key is None:
            return self.whole(copy, meeting)
        if date.cancelled:
            return self.cancelled_instance(copy, meeting, key)
        body = self._common(copy, meeting, date.title, date.attendees, date.details, key)
        body |= self._span(meeting, date.start_ms, date.end_ms)
        return _sealed(body | self._identity(copy, meeting, key), copy)

    def cancelled(self, copy: Copy, meeting: Meeting) -> dict[str, Any]:
        """A deleted event with what the organiser's calendar still shows of it."""
        return _sealed({**self.whole(copy, meeting), "status": "cancelled"}, copy)

    def cancelled_instance(self, copy: Copy, meeting: Meeting, key: int) -> dict[str, Any]:
        """A cancelled exception with the fields the reference guarantees."""
        body = {"kind": "calendar#event", "status": "cancelled", **self._identity(copy, meeting, key)}
        return _sealed(body, copy)

    def thin(self, event_id: str) -> dict[str, Any]:
        """All that an increment may say of something cancelled."""
        return {"id": event_id, "status": "cancelled"}

    def instance_id(self, copy: Copy, meeting: Meeting, key: int) -> str:
        """The id of one date of a series."""
        if self.contradicts("instance-id"):
            return times.opaque_id(copy.event_id, key)
        return times.instance_id(copy.event_id, key, meeting.time_zone, all_day=_all_day(meeting.details))

    def _identity(self, copy: Copy, meeting: Meeting, key: int) -> dict[str, Any]:
        return {
            "id": self.instance_id(copy, meeting, key),
            "recurringEventId": copy.event_id,
            "originalStartTime": self._time(meeting, key, _all_day(meeting.details)),
        }

    def _span(self, meeting: Meeting, start_ms: int, end_ms: int) -> dict[str, Any]:
        all_day = _all_day(meeting.details)
        return {"start": self._time(meeting, start_ms, all_day), "end": self._time(meeting, end_ms, all_day)}

    def _time(self, meeting: Meeting, at_ms: int, all_day: bool) -> dict[str, str]:
        return times.event_time(at_ms, meeting.time_zone, all_day=all_day, shown_in=self._zone)

    def _common(
        self,
        copy: Copy,
        meeting: Meeting,
        title: str,
        attendees: dict[str, Attendee],
        details: dict[str, Any],
        key: int | None,
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "kind": "calendar#event",
            "id": copy.event_id,
            "status": "tentative" if details.get("status") == "tentative" else "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={copy.event_id}",
            "created": times.utc_text(meeting.created_ms),
            "summary": title,
            "creator": self._person(meeting.organizer_id),
            "organizer": self._person(meeting.organizer_id),
            "iCalUID": f"{key}-{meeting.ical_uid}" if key and self.contradicts("uid-of-a-series") else meeting.ical_uid,
            "sequence": meeting.sequence,
            "eventType": "default",
            "reminders": {"useDefault": True},
        }
        # A meeting of the other provider's people keeps its content in that provider's shapes: leave those out.
        body |= {name: details[name] for name in SHARED_TEXT if isinstance(details.get(name), str)}
        body |= {name: details[name] for name in SHARED_FLAGS if isinstance(details.get(name), bool)}
        body |= {name: copy.private[name] for name in OWN_FIELDS if copy.private.get(name) is not None}
        if copy.private.get("showAs", details.get("showAs")) == "free":
            body["transparency"] = "transparent"
        body |= self._extended(copy, details)
        return body | self._attendees(copy, meeting, attendees, details, key)

    def _extended(self, copy: Copy, details: dict[str, Any]) -> dict[str, Any]:
        hidden = self.contradicts("private-properties")
        found = {
            "private": {} if hidden else copy.private.get("extendedProperties") or {},
            "shared": details.get("sharedExtendedProperties") or {},
        }
        found = {kind: values for kind, values in found.items() if values}
        return {"extendedProperties": found} if found else {}

    def _attendees(
        self, copy: Copy, meeting: Meeting, attendees: dict[str, Attendee], details: dict[str, Any], key: int | None
    ) -> dict[str, Any]:
        organizer = self._world.directory.mailbox(meeting.organizer_id)
        if organizer.provider != "google":
            attendees = copy.invited
        muted = not copy.is_organizer and len(attendees) > MOST_PROPAGATED_GUESTS
        listed = [self._attendee(copy, one, key, muted=muted) for one in attendees.values()]
        if listed and details.get(ORGANIZER_ATTENDS, True) and not isinstance(organizer, Room):
            listed.insert(0, self._organizing(organizer))
        if not listed:
            return {}
        if not copy.is_organizer and details.get("guestsCanSeeOtherGuests") is False:
            return {"attendees": [one for one in listed if one.get("self") or one.get("organizer")]}
        if self._max_attendees is not None and len(listed) > self._max_attendees:
            return {"attendees": [one for one in listed if one.get("self")], "attendeesOmitted": True}
        return {"attendees": listed}

    def _attendee(self, copy: Copy, one: Attendee, key: int | None, *, muted: bool) -> dict[str, Any]:
        is_self = one.address in self._owner.addresses
        answer = one.answer
        if is_self and not copy.is_organizer:
            answer = self._world.calendar.own_answer(copy, key)
        elif muted or (answer == AttendeeAnswer.DECLINED and self._is_room(one) and self.contradicts("room-declines")):
            answer = AttendeeAnswer.NONE
        body: dict[str, Any] = {"email": one.address, "responseStatus": RESPONSES[answer]}
        if one.name:
            body["displayName"] = one.name
        if one.role == "resource":
            body["resource"] = True
        if one.role == "optional":
            body["optional"] = True
        if one.comment:
            body["comment"] = one.comment
        return body | ({"self": True} if is_self else {})

    def _organizing(self, organizer: Mailbox) -> dict[str, Any]:
        body: dict[str, Any] = {"email": organizer.address, "displayName": organizer.name, "organizer": True}
        body |= {"self": True} if organizer.id == self._owner.id else {}
        return {**body, "responseStatus": "accepted"}

    def _person(self, mailbox_id: str) -> dict[str, Any]:
        person = self._world.directory.mailbox(mailbox_id)
        body: dict[str, Any] = {"email": person.address, "displayName": person.name}
        return body | ({"self": True} if person.id == self._owner.id else {})


def _all_day(details: dict[str, Any]) -> bool:
    return bool(details.get("allDay"))


def _sealed(body: dict[str, Any], copy: Copy) -> dict[str, Any]:
    """Add `updated` and an etag over everything else, so that a change of one date leaves the others' etags alone."""
    bare = {name: value for name, value in body.items() if name not in {"etag", "updated"}}
    digest = hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).digest()
    return {**bare, "etag": f'"{int.from_bytes(digest[:7], "big")}"', "updated": times.utc_text(copy.modified_ms)}
