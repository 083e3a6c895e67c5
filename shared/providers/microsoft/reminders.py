"""Reminders at Graph: how one is made, and how it is told from a meeting. Pure."""

from __future__ import annotations

from typing import Any

from shared.domain.sighting import NewReminder
from shared.providers.microsoft import wire
from shared.providers.microsoft.booking import utc

PREFIX = "roomsync-reminder-"
"""
How the `transactionId` of a reminder begins. It is set when an event is made, cannot be changed, and is "only returned in a
response payload if an app has set it" (learn.microsoft.com/graph/api/resources/event). An extended property would not do: delta
knows no `$expand` (learn.microsoft.com/graph/api/event-delta), and would show the reminder as an event like any other.
"""


def new_reminder(reminder: NewReminder) -> dict[str, Any]:
    """Write what to POST: private, free, without attendees, and with the reminder at its beginning."""
    return {
        "subject": reminder.title,
        "body": {"contentType": "text", "content": reminder.text},
        "start": utc(reminder.start_ms),
        "end": utc(reminder.end_ms),
        "showAs": "free",
        "sensitivity": "private",
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 0,
        "transactionId": f"{PREFIX}{reminder.request_id}",
    }


def is_reminder(event: wire.GraphEvent) -> bool:
    """Say whether the event is a reminder and no meeting."""
    return (event.transaction_id or "").startswith(PREFIX)


def request_of(event: wire.GraphEvent) -> str:
    """Find the `request_id` of a reminder."""
    return (event.transaction_id or "").removeprefix(PREFIX)
