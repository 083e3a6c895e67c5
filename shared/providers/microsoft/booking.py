"""The body of a new event at Graph. Pure."""

from __future__ import annotations

from typing import Any

from shared.domain.instants import to_rfc3339
from shared.domain.sighting import NewMeeting, RoomContact


def new_event(meeting: NewMeeting) -> dict[str, Any]:
    """
    What to POST: rooms are attendees of type `resource` and locations as well, since a location alone books nothing.

    `transactionId` lets the server drop a repeated create.
    """
    people = [{"type": "required", "emailAddress": {"address": address}} for address in meeting.attendees]
    return {
        "subject": meeting.title,
        "start": utc(meeting.start_ms),
        "end": utc(meeting.end_ms),
        "attendees": [*people, *(_invited(room) for room in meeting.rooms)],
        "transactionId": meeting.request_id,
        **({"locations": [place_of(room) for room in meeting.rooms]} if meeting.rooms else {}),
    }


def place_of(room: RoomContact) -> dict[str, str]:
    """A room as a location."""
    return {
        "displayName": room.name,
        "locationType": "conferenceRoom",
        "locationEmailAddress": room.address,
        "locationUri": room.address,
    }


def utc(at_ms: int) -> dict[str, str]:
    """An instant as Graph's wall-clock time with its zone beside it."""
    return {"dateTime": to_rfc3339(at_ms).removesuffix("Z"), "timeZone": "UTC"}


def _invited(room: RoomContact) -> dict[str, Any]:
    return {"type": "resource", "emailAddress": {"address": room.address, "name": room.name}}
