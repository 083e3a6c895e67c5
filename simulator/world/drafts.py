"""What a caller wants of a meeting: to book one, or to change one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.world.model import AttendeeAnswer, Recurrence, Role


@dataclass(slots=True)
class Invitee:
    """One attendee as a caller names it. `answer` None keeps what is known; a value overwrites (Google's array)."""

    address: str
    name: str = ""
    role: Role = "required"
    answer: AttendeeAnswer | None = None
    comment: str | None = None


@dataclass(slots=True)
class MeetingDraft:
    """A meeting to be made; `event_id` (Google) is the client-chosen id."""

    title: str
    start_ms: int
    end_ms: int
    invitees: list[Invitee] = field(default_factory=list)
    time_zone: str = "UTC"
    recurrence: Recurrence | None = None
    details: dict[str, Any] = field(default_factory=dict)
    transaction_id: str | None = None
    event_id: str | None = None
    ical_uid: str | None = None


@dataclass(slots=True)
class Edit:
    """What an organiser changes; None leaves a field as it is. `details` is merged, a None value removes a key."""

    title: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    time_zone: str | None = None
    invitees: list[Invitee] | None = None
    details: dict[str, Any] | None = None
