"""The nouns of the world: tenants, people, rooms, meetings, and one copy of a meeting per participant."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Provider = Literal["microsoft", "google"]
Role = Literal["required", "optional", "resource"]
ChangeKind = Literal["created", "updated", "deleted"]


class AttendeeAnswer(StrEnum):
    """What an attendee or a room has said; each provider side has its own words for these."""

    NONE = "none"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


@dataclass(slots=True)
class Tenant:
    """One organisation at one provider. `id` is an Entra tenant GUID, or the domain at Google."""

    id: str
    provider: Provider
    name: str
    domain: str
    auto_replace: bool = False
    secondary_domains: tuple[str, ...] = ()
    unverified_domains: tuple[str, ...] = ()
    """Entered by its administrators, and not shown to be theirs."""


@dataclass(slots=True)
class RoomRules:
    """How a room decides. Times in the units of their names; None means no limit."""

    mode: Literal["auto", "manual", "never", "forbid", "group"] = "auto"
    delay_ms: tuple[int, int] | None = None
    max_duration_minutes: int | None = None
    max_lead_days: int | None = None
    group: frozenset[str] = frozenset()
    allow_conflicts: bool = False
    series_max_conflicts: int | None = None
    series_conflict_share: float | None = None


@dataclass(slots=True)
class User:
    """A person with a mailbox. `id` is an Entra object id (GUID) or a Google `sub` (digits)."""

    id: str
    tenant_id: str
    provider: Provider
    name: str
    address: str
    """The main one: what mail and invitations use."""
    time_zone: str = "UTC"
    sign_in_name: str = ""
    """Microsoft's user principal name, where it is another than the main address."""
    aliases: tuple[str, ...] = ()
    """Further addresses that reach the mailbox."""

    @property
    def login(self) -> str:
        """What the person types to sign in."""
        return self.sign_in_name or self.address

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses that an invitation may use, the main one first."""
        return tuple(dict.fromkeys((self.address, self.login, *self.aliases)))


@dataclass(slots=True)
class Room:
    """A room with a mailbox of its own and rules that nobody outside can read."""

    id: str
    tenant_id: str
    provider: Provider
    name: str
    address: str
    capacity: int = 8
    building: str = ""
    floor: str = ""
    rules: RoomRules = field(default_factory=RoomRules)
    time_zone: str = "UTC"
    equipment: tuple[str, ...] = ()
    accessible: bool | None = None
    """Whether it can be used with a wheelchair; Google's resources have no field for it."""
    section: str = ""
    """The part of the floor; Microsoft's places have no field for it."""
    description: str = ""
    """What everybody may read of it; Microsoft's places have no field for it."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The one address that an invitation may use."""
        return (self.address,)


Mailbox = User | Room


@dataclass(slots=True)
class Attendee:
    """One invited address as the organiser's copy knows it. `ask` counts how often it has been asked (anew)."""

    address: str
    name: str = ""
    role: Role = "required"
    answer: AttendeeAnswer = AttendeeAnswer.NONE
    answered_ms: int | None = None
    comment: str = ""
    ask: int = 0


Attendees = dict[str, Attendee]


def copy_attendees(attendees: Attendees) -> Attendees:
    """The same attendees as independent values."""
    return {address: dataclasses.replace(one) for address, one in attendees.items()}


@dataclass(slots=True)
class Recurrence:
    """`count` repetitions every `interval` days or weeks; `weekdays` (0 = Monday) only with weekly."""

    frequency: Literal["daily", "weekly"]
    count: int
    interval: int = 1
    weekdays: tuple[int, ...] = ()


@dataclass(slots=True)
class Override:
    """One occurrence that differs from its series; `original_start_ms` is its key for ever."""

    original_start_ms: int
    start_ms: int
    end_ms: int
    attendees: Attendees
    title: str | None = None
    cancelled: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Meeting:
    """The organiser's copy: the authority. `attendees` never holds the organiser; keys are lower-case addresses.
    `event_id` is the id that all Google copies share.
    """

    id: str
    tenant_id: str
    organizer_id: str
    ical_uid: str
    event_id: str
    title: str
    start_ms: int
    end_ms: int
    time_zone: str
    created_ms: int
    modified_ms: int
    attendees: Attendees = field(default_factory=dict)
    recurrence: Recurrence | None = None
    overrides: dict[int, Override] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    transaction_id: str | None = None
    sequence: int = 0
    cancelled: bool = False

    def attendees_at(self, occurrence: int | None) -> Attendees:
        """The attendees of one occurrence (its original start), or of the meeting itself."""
        override = self.overrides.get(occurrence) if occurrence is not None else None
        return override.attendees if override else self.attendees


@dataclass(slots=True)
class Copy:
    """What one mailbox holds of a meeting. `invited` is what the organiser last sent, so other people's later
    answers are not in it; `answers` is this owner's own answer by occurrence (None: the meeting or whole series).
    """

    mailbox_id: str
    meeting_id: str
    event_id: str
    is_organizer: bool
    created_ms: int
    modified_ms: int
    version: int = 1
    invited: Attendees = field(default_factory=dict)
    answers: dict[int | None, AttendeeAnswer] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """One date of a meeting as it stands: a single meeting gives one, with `original_start_ms` None."""

    meeting_id: str
    original_start_ms: int | None
    start_ms: int
    end_ms: int
    title: str
    attendees: Attendees
    is_exception: bool = False
    cancelled: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> int | None:
        """What names this date among its series: the original start, or None for a single meeting."""
        return self.original_start_ms


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """One line of a mailbox's change feed; `seq` rises over the whole world."""

    seq: int
    at_ms: int
    mailbox_id: str
    meeting_id: str
    event_id: str
    kind: ChangeKind
    occurrence: int | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class BusyTime:
    """A stretch of time that a mailbox holds."""

    start_ms: int
    end_ms: int
    answer: AttendeeAnswer
    meeting_id: str
    title: str
