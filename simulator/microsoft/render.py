"""One mailbox's copy of a meeting, or of one date of it, written as a Graph event."""

from __future__ import annotations

from typing import Any

from simulator.microsoft import wire
from simulator.microsoft.recurrence import write_recurrence as written_recurrence
from simulator.world import Attendee, AttendeeAnswer, Copy, Instance, Mailbox, Meeting, Room, World

_RESPONSES = {
    AttendeeAnswer.NONE: "none",
    AttendeeAnswer.ACCEPTED: "accepted",
    AttendeeAnswer.DECLINED: "declined",
    AttendeeAnswer.TENTATIVE: "tentativelyAccepted",
}
_SHOWN_AS = {
    AttendeeAnswer.NONE: "tentative",
    AttendeeAnswer.ACCEPTED: "busy",
    AttendeeAnswer.TENTATIVE: "tentative",
    AttendeeAnswer.DECLINED: "free",
}
OPTIONAL = ("hideAttendees", "isOnlineMeeting", "isReminderOn", "reminderMinutesBeforeStart", "responseRequested",
            "allowNewTimeProposals", "importance", "sensitivity", "categories")  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "hideAttendees": False,
    "isOnlineMeeting": False,
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "importance": "normal",
    "sensitivity": "normal",
    "categories": [],
}


class GraphRenderer:
    """Writes events for one mailbox in one time zone."""

    def __init__(self, world: World, owner: Mailbox, zone_name: str) -> None:
        wire.zone(zone_name)
        self._world = world
        self._owner = owner
        self._zone = zone_name

    def event(self, copy: Copy, meeting: Meeting) -> dict[str, Any]:
        """A single meeting or a series master, with everything."""
        date = Instance(
            meeting_id=meeting.id,
            original_start_ms=None,
            start_ms=meeting.start_ms,
            end_ms=meeting.end_ms,
            title=meeting.title,
            attendees=meeting.attendees,
            cancelled=meeting.cancelled,
            details=meeting.details,
        )
        kind = "seriesMaster" if meeting.recurrence else "singleInstance"
        return self._full(copy, meeting, date, copy.event_id, kind)

    def date(self, copy: Copy, meeting: Meeting, date: Instance) -> dict[str, Any]:
        """One date of a series, with everything."""
        if date.key is None:
            return self.event(copy, meeting)
        event_id = wire.occurrence_id(copy.event_id, date.key)
        full = self._full(copy, meeting, date, event_id, "exception" if date.is_exception else "occurrence")
        full["seriesMasterId"] = self._master_id(copy)
        if not self._contradicts("uid-of-a-date"):
            full["iCalUId"] = f"{meeting.ical_uid}{date.key:012X}"
        full["originalStart"] = wire.instant(date.key)
        if self._contradicts("original-start"):
            full["originalStart"] = wire.date_time(date.key, meeting.time_zone)["dateTime"] + "Z"
        full["recurrence"] = None
        return full

    def sparse(self, copy: Copy, meeting: Meeting, date: Instance) -> dict[str, Any]:
        """One date as delta gives it: no attendees, no iCalUId, no subject."""
        key = date.key or 0
        return {
            "@odata.type": "#microsoft.graph.event",
            "@odata.etag": wire.etag(copy.event_id, copy.version),
            "id": wire.occurrence_id(copy.event_id, key),
            "seriesMasterId": self._master_id(copy),
            "type": "occurrence",
            **self._span(meeting, date),
        }

    def _span(self, meeting: Meeting, date: Instance) -> dict[str, Any]:
        """
        Start and end. Those of an all-day date are the midnights of its days whatever zone is preferred.

        learn.microsoft.com/graph/api/resources/event: with `isAllDay`, start and end are midnight and in one zone.
        """
        days = date.details.get("allDay") and not self._contradicts("all-day-midnight")
        shown = meeting.time_zone if days else self._zone
        return {
            name: {**wire.date_time(at_ms, shown), "timeZone": self._zone}
            for name, at_ms in (("start", date.start_ms), ("end", date.end_ms))
        }

    def _full(self, copy: Copy, meeting: Meeting, date: Instance, event_id: str, kind: str) -> dict[str, Any]:
        details = {**_DEFAULTS, **date.details}
        organizer = self._world.directory.mailbox(meeting.organizer_id)
        own = self._own_answer(copy, date)
        rooms = [one for one in date.attendees.values() if self._is_room(one)]
        locations = details.get("locations") or [_location(one) for one in rooms]
        return {
            "@odata.type": "#microsoft.graph.event",
            "@odata.etag": wire.etag(copy.event_id, copy.version),
            "id": event_id,
            "createdDateTime": wire.instant(copy.created_ms),
            "lastModifiedDateTime": wire.instant(copy.modified_ms),
            "changeKey": wire.change_key(copy.event_id, 1 if self._contradicts("change-key") else copy.version),
            "originalStartTimeZone": meeting.time_zone,
            "originalEndTimeZone": meeting.time_zone,
            "iCalUId": meeting.ical_uid,
            "subject": organizer.name if isinstance(self._owner, Room) else date.title,
            "bodyPreview": _preview(details),
            "body": details.get("body", {"contentType": "html", "content": ""}),
            "isAllDay": bool(details.get("allDay", False)),
            "isCancelled": date.cancelled,
            "isOrganizer": copy.is_organizer,
            "isDraft": False,
            "hasAttachments": False,
            "showAs": copy.private.get("showAs") or details.get("showAs") or _SHOWN_AS[own],
            "type": kind,
            "webLink": f"https://outlook.invalid/owa/?itemid={event_id}",
            **self._span(meeting, date),
            "location": locations[0] if locations else {"displayName": "", "locationType": "default"},
            "locations": locations,
            "recurrence": written_recurrence(meeting),
            "attendees": self._attendees(copy, date, hidden=bool(details["hideAttendees"])),
            "organizer": {"emailAddress": {"name": organizer.name, "address": organizer.address}},
            "responseStatus": self._own_status(copy, own),
            "seriesMasterId": None,
            "onlineMeeting": None,
            "transactionId": self._transaction_id(copy, meeting),
            **{name: details[name] for name in OPTIONAL},
        }

    def _attendees(self, copy: Copy, date: Instance, *, hidden: bool) -> list[dict[str, Any]]:
        if copy.is_organizer:
            return [_attendee(one, self._answer_of(one), one.answered_ms) for one in date.attendees.values()]
        shown, own_addresses = [], self._owner.addresses
        for one in date.attendees.values():
            if one.address in own_addresses:
                own = _attendee(one, self._own_answer(copy, date), one.answered_ms)
                if own["status"]["response"] == "none":
                    own["status"]["response"] = "notResponded"
                shown.append(own)
            elif not hidden:
                # A guest's copy knows what the organiser last sent, and does not follow later answers.
                sent = copy.invited.get(one.address)
                shown.append(
                    _attendee(one, sent.answer if sent else AttendeeAnswer.NONE, sent.answered_ms if sent else None)
                )
        return shown

    def _transaction_id(self, copy: Copy, meeting: Meeting) -> str | None:
        shown = copy.is_organizer and not self._contradicts("transaction-id-shown")
        return meeting.transaction_id if shown else None

    def _contradicts(self, name: str) -> bool:
        return self._world.faults.contradicts(f"microsoft.{name}")

    def _master_id(self, copy: Copy) -> str:
        return copy.event_id[::-1] if self._contradicts("series-master-id") else copy.event_id

    def _answer_of(self, one: Attendee) -> AttendeeAnswer:
        unseen = one.answer == AttendeeAnswer.DECLINED and self._is_room(one) and self._contradicts("room-declines")
        return AttendeeAnswer.NONE if unseen else one.answer

    def _own_answer(self, copy: Copy, date: Instance) -> AttendeeAnswer:
        if copy.is_organizer:
            return AttendeeAnswer.ACCEPTED
        return self._world.calendar.own_answer(copy, date.key)

    @staticmethod
    def _own_status(copy: Copy, own: AttendeeAnswer) -> dict[str, str]:
        if copy.is_organizer:
            return {"response": "organizer", "time": wire.NO_TIME}
        response = "notResponded" if own == AttendeeAnswer.NONE else _RESPONSES[own]
        return {
            "response": response,
            "time": wire.NO_TIME if own == AttendeeAnswer.NONE else wire.instant(copy.modified_ms),
        }

    def _is_room(self, attendee: Attendee) -> bool:
        return isinstance(self._world.directory.find(attendee.address), Room)


def removed(event_id: str) -> dict[str, Any]:
    """What delta says of an event that is gone, or outside the window."""
    return {"@odata.type": "#microsoft.graph.event", "id": event_id, "@removed": {"reason": "deleted"}}


def _attendee(attendee: Attendee, answer: AttendeeAnswer, answered_ms: int | None) -> dict[str, Any]:
    return {
        "type": attendee.role,
        "status": {
            "response": _RESPONSES[answer],
            "time": wire.NO_TIME if answer == AttendeeAnswer.NONE or answered_ms is None else wire.instant(answered_ms),
        },
        "emailAddress": {"name": attendee.name or attendee.address, "address": attendee.address},
    }


def _location(attendee: Attendee) -> dict[str, str]:
    return {
        "displayName": attendee.name or attendee.address,
        "locationEmailAddress": attendee.address,
        "locationType": "conferenceRoom",
        "uniqueId": attendee.address,
        "uniqueIdType": "directory",
    }


def _preview(details: dict[str, Any]) -> str:
    return str(details.get("body", {}).get("content", ""))[:255]
