"""The body of a new event at Google, and the id it is given. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from shared.domain.instants import to_rfc3339
from shared.domain.sighting import NewMeeting, RoomContact


def event_id_of(request_id: str) -> str:
    """An event id of our own choosing: the same wish names the same event. Google takes `[a-v0-9]`, 5 to 1024 of them."""
    return hashlib.sha256(request_id.encode()).hexdigest()[:40]


def new_event(meeting: NewMeeting) -> dict[str, Any]:
    """What to insert: rooms are attendees marked `resource`, and named as the location."""
    return {
        "id": event_id_of(meeting.request_id),
        "summary": meeting.title,
        "start": {"dateTime": to_rfc3339(meeting.start_ms), "timeZone": "UTC"},
        "end": {"dateTime": to_rfc3339(meeting.end_ms), "timeZone": "UTC"},
        "attendees": [
            *({"email": address} for address in meeting.attendees),
            *(_invited(one) for one in meeting.rooms),
        ],
        **({"location": ", ".join(room.name for room in meeting.rooms)} if meeting.rooms else {}),
    }


def _invited(room: RoomContact) -> dict[str, Any]:
    return {"email": room.address, "displayName": room.name, "resource": True, "responseStatus": "needsAction"}
