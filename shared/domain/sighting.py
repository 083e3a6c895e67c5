"""What one look at a mailbox returned, in our words and still with addresses: it never leaves the process that read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.attendees import SeenAttendee


class EventKind(StrEnum):
    """How an event belongs to a series."""

    SINGLE = "single"
    MASTER = "master"
    OCCURRENCE = "occurrence"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """One event of one mailbox, as the allow-list lets it in: no subject, body, or location text."""

    event_id: str
    """Opaque, per mailbox, case-sensitive."""
    uid: str
    """What all copies of the meeting share (Google `iCalUID`, the Graph master's `iCalUId`); "" on a sparse occurrence."""
    kind: EventKind
    master_id: str
    """The series' event id in this mailbox; "" for a single meeting."""
    slot: str
    """Which date of the series, unmoved by later changes (original start, ISO 8601 UTC); "" for a single meeting and a master."""
    start_ms: int
    end_ms: int
    cancelled: bool
    is_organizer: bool
    organizer: str
    """The organiser's address, lower-cased; "" when absent."""
    shows_guests: bool
    """Whether this copy can be believed about the other attendees' answers."""
    attendees: tuple[SeenAttendee, ...] | None
    """None: not said (a sparse occurrence, or the list was cut): unknown, not empty."""
    version: str
    """Opaque etag or change key. Compared for equality within this mailbox only."""
    all_day: bool = False
    """Then `start_ms` and `end_ms` are midnights UTC of its days, whatever the zone."""
    begins_ms: int = 0
    """The instant at which an all-day event begins where it is held; 0: not known."""
    ends_ms: int = 0
    sequence: int = 0
    """Google's: rises with every change that guests are told of. 0 at Microsoft."""
    can_change: bool = False
    """Whether this mailbox's person may change the event's rooms."""
    is_draft: bool = False
    """Changed by its organiser and not sent: rooms and guests know it as it was (Graph, `isDraft`)."""


@dataclass(frozen=True, slots=True)
class SeenRemoval:
    """The provider says that this id is no longer in the window: gone from view, not necessarily cancelled."""

    event_id: str


Seen = SeenEvent | SeenRemoval


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time a look covers, start inclusive, end exclusive, in epoch milliseconds."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """What an earlier look found at an event id, as far as the next look of the same mailbox needs it."""

    series: str
    """The event id of its series; "" for a single meeting and for a series itself."""
    start_ms: int
    end_ms: int
    all_day: bool = False
    is_master: bool = False
    confirm: bool = False
    """Before its absence counts, the event is read by its id: it is in its organiser's own calendar and asks for a room."""


@dataclass(frozen=True, slots=True)
class Look:
    """Everything one look returned, up to the last page."""

    seen: tuple[Seen, ...]
    cursor: str
    full: bool
    """True: whatever was known and is not in `seen` is no longer in the window."""


@dataclass(frozen=True, slots=True)
class LiveAttendee:
    """An attendee for a page: read live as the viewing user, kept nowhere."""

    name: str
    address: str
    is_room: bool
    answer: str


@dataclass(frozen=True, slots=True)
class LiveMeeting:
    """One event read live for a page or for a write. Content: it must never reach a store, topic or log."""

    event_id: str
    title: str
    start_ms: int
    end_ms: int
    version: str
    cancelled: bool
    is_organizer: bool
    attendees: tuple[LiveAttendee, ...]
    organizer: str = ""
    """The organiser's name, else their address; "" when the provider does not show it."""
    ends_ms: int = 0
    """The instant at which an all-day meeting ends where it is held; 0: the same as `end_ms`."""
    link: str = ""
    """An `https:` address that opens the event in its calendar; "" when the provider gives none."""


@dataclass(frozen=True, slots=True)
class LiveSeries:
    """A series read live, with its dates in a stretch of time: content, as `LiveMeeting`."""

    master: LiveMeeting
    """What all its dates have in common; its times are those of the first one."""
    dates: tuple[LiveMeeting, ...]
    apart: frozenset[str]
    """Event ids of those dates that were changed for themselves: as far as is known they keep their own attendees."""


@dataclass(frozen=True, slots=True)
class LivePage:
    """One page of a calendar's dates, read live: content, as `LiveMeeting`."""

    meetings: tuple[LiveMeeting, ...]
    """By start; those that cannot be read are left out."""
    next_page: str
    """What the call for the page after this one names; "" on the last."""


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """One date of one event for a page: read live as the viewing user, kept nowhere."""

    event_id: str
    uid: str
    """What all copies share, as in `SeenEvent.uid`; the master's for a date of a series."""
    slot: str
    """As in `SeenEvent.slot`."""
    title: str
    start_ms: int
    end_ms: int
    all_day: bool
    """Then start and end are midnights UTC of its days, end exclusive."""
    private: bool
    """Marked private or confidential: shown to its own person only."""
    declined: bool
    """The viewing person has declined it."""
    is_organizer: bool
    attendees: tuple[LiveAttendee, ...]
    """Rooms included; empty when the provider shows none."""


@dataclass(frozen=True, slots=True)
class NewMeeting:
    """A meeting to be made in the person's own calendar."""

    request_id: str
    """Ours: the same one makes the same event, however often it is sent (1 to 64 characters of `[a-z0-9-]`)."""
    title: str
    start_ms: int
    end_ms: int
    rooms: tuple[RoomContact, ...]
    attendees: tuple[str, ...] = ()
    """Addresses of people."""


@dataclass(frozen=True, slots=True)
class NewReminder:
    """
    An event that tells its person of something, in their own calendar.

    It is private, takes none of their time, and invites nobody. Reads of meetings leave it out.
    """

    request_id: str
    """As in `NewMeeting`."""
    title: str
    text: str
    start_ms: int
    """The person is reminded at this moment."""
    end_ms: int


@dataclass(frozen=True, slots=True)
class DirectoryRoom:
    """A meeting room as the provider's directory lists it."""

    address: str
    name: str
    capacity: int
    """0: not said."""
    building: str
    floor: str
    directory_id: str = ""
    """The directory's own id of the room, which outlives a change of its address: Graph place id, Google `resourceId`."""
    equipment: tuple[str, ...] = ()
    """What is in it, as the directory calls it; () also where it says nothing."""
    accessible: bool | None = None
    """Whether it can be used with a wheelchair; None: not said."""
    section: str | None = None
    """The part of the floor; None: this directory has no such field."""
    description: str | None = None
    """What everybody may read of it; None: this directory has no such field."""


@dataclass(frozen=True, slots=True)
class RoomContact:
    """What a provider needs to invite a room."""

    address: str
    name: str


class Availability(StrEnum):
    """What free/busy says of a room at a time. UNKNOWN is not FREE: a calendar we may not see answers with nothing."""

    FREE = "free"
    BUSY = "busy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Access:
    """A usable access token and whom it speaks for."""

    token: str
    subject: str
    """The provider's own id of the person (Entra object id, Google `sub`)."""
    address: str


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """The addresses of a person as their provider's directory lists them, lower-cased; the sign-in name may be none of them."""

    mail: str = ""
    """Where mail reaches them; "" when the directory does not say."""
    known: tuple[str, ...] = ()
    """By all of these an invitation may name them."""


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """What we ask a provider for: tell this address about that mailbox, until then."""

    channel_id: str
    """Ours: chosen before the call, unique for ever, `[A-Za-z0-9-]`, at most 64 characters. Graph ignores it."""
    client_state: str
    notification_url: str
    lifecycle_url: str
    """Graph only."""
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """The provider's promise to push changes of a mailbox, as it confirmed it."""

    id: str
    """Graph's subscription id, or our channel id at Google."""
    resource_id: str
    """Google's resource id, needed to stop the channel; "" at Graph."""
    expires_at_ms: int
    """As answered, never as asked."""
