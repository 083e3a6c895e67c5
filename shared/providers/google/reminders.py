"""Reminders at Google: how one is made, and how it is told from a meeting. Pure."""

from __future__ import annotations

from typing import Any

from shared.domain.instants import to_rfc3339
from shared.domain.sighting import NewReminder
from shared.providers.google import wire
from shared.providers.google.booking import event_id_of

KIND, KIND_VALUE = "roomsync", "reminder"
"""
The private property by which reminders are known: of this copy alone, given in every list and increment, and what
`privateExtendedProperty` filters by (developers.google.com/workspace/calendar/api/guides/extended-properties).
"""
REQUEST = "roomsyncRequest"


def new_reminder(reminder: NewReminder) -> dict[str, Any]:
    """Write what to insert: private, free, without guests, with a popup at its beginning in the place of the person's own."""
    return {
        "id": event_id_of(reminder.request_id),
        "summary": reminder.title,
        "description": reminder.text,
        "start": {"dateTime": to_rfc3339(reminder.start_ms), "timeZone": "UTC"},
        "end": {"dateTime": to_rfc3339(reminder.end_ms), "timeZone": "UTC"},
        "transparency": "transparent",
        "visibility": "private",
        "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 0}]},
        "extendedProperties": {"private": {KIND: KIND_VALUE, REQUEST: reminder.request_id}},
    }


def is_reminder(event: wire.GoogleEvent) -> bool:
    """Say whether the event is a reminder and no meeting."""
    own = event.extended_properties.private if event.extended_properties else None
    return own is not None and own.roomsync == KIND_VALUE


def request_of(event: wire.GoogleEvent) -> str:
    """Find the `request_id` of a reminder."""
    own = event.extended_properties.private if event.extended_properties else None
    return (own.roomsync_request if own else None) or ""
