"""Facts: everything that one copy says of one meeting, content-free and total (design §5)."""

from __future__ import annotations

import msgspec

from shared.domain.attendees import Answer, CopyRole

TYPE = "observation"


class ObservedOccurrence(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One date of the meeting, as this copy shows it."""

    ref: str
    """Pseudonym of the occurrence (`TenantKeys.occurrence`)."""
    event_id: str
    """The reference: this mailbox's own id of the event."""
    start_ms: int
    end_ms: int
    rooms: dict[str, Answer] = {}
    """Room id → answer."""
    people: dict[str, Answer] = {}
    """Keyed hash of a person → answer."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Replaces this copy's earlier observation of the meeting; no occurrences means gone."""

    provider: str
    mailbox: str
    meeting: str
    """Pseudonym that all copies share (`TenantKeys.meeting`)."""
    organizer: str
    """Keyed hash of the organiser."""
    role: CopyRole
    shows_guests: bool = True
    """False: this copy hides the other attendees, or was cut short."""
    baseline: bool = False
    """True: read by the first look after a consent; it may create state, silently."""
    withdrawn: bool = False
    """True: this copy is no longer connected; it has no word and no owner any more."""
    observed_at_ms: int
    occurrences: tuple[ObservedOccurrence, ...] = ()
