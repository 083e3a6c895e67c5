"""
What the sync worker keeps of a mailbox: its cursor, subscription and timers, and a reference per event. Sealed at rest.

The people of what a mailbox's person organises stand beside (`attendee_snapshot.SnapshotPiece`).

Of a mailbox that is not connected any more one small record is left, until the last of its meetings has ended.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.command import TakeRoom
from shared.domain.attendees import Answer

MAILBOX_TYPE = "mailbox-state"
REFERENCE_TYPE = "event-reference"
REFERENCE_VERSION = 2
"""Version 1 kept a hash and an answer of every person in every copy, early records of version 2 in each of the organiser's."""
SNAPSHOT_PEOPLE = 500
"""Of a larger crowd no snapshot is kept."""
LEFT_TYPE = "left-mailbox"


class DueReason(StrEnum):
    """Why a mailbox will be looked at again without a hint."""

    RETRY = "retry"
    RENEW = "renew"
    RECONCILE = "reconcile"
    ECHO = "echo"
    """Graph's delta lags behind its notifications: a look that shows fewer changes than they announced is repeated, with growing
    pauses."""
    CONFIRM = "confirm"
    """A room declined: Google may replace it by itself within the grace time."""
    SILENT = "silent"
    """A room has been pending for long: look whether its answer got lost."""


class LiveSubscription(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The subscription or channel that is alive for this mailbox."""

    id: str
    resource_id: str = ""
    key_id: str
    """The hook key its client state was made under."""
    made_at_ms: int
    expires_at_ms: int
    ending_tries: int = 0
    """How often the provider would not end it since it was replaced."""


class MailboxState(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One mailbox, total. Key on `calendar-state`: the mailbox."""

    provider: str
    connected: bool = True
    cursor: str = ""
    """Opaque; "" asks for a full look."""
    window_start_ms: int = 0
    """Where the window inside the cursor begins (Graph: part of its token)."""
    window_end_ms: int = 0
    """Where it ends; 0: 63 days later, as versions did that had no setting for it."""
    baseline_done: bool = False
    subscription: LiveSubscription | None = None
    retiring: tuple[LiveSubscription, ...] = ()
    """Replaced, and to be ended at the provider: retried until none is left."""
    due: dict[DueReason, int] = {}
    """Reason → epoch milliseconds."""
    failures: int = 0
    """Looks failed in a row: sets the back-off."""
    heard_at_ms: int = 0
    """Last push."""
    looked_at_ms: int = 0
    """Last look that committed."""
    observed_at_ms: int = 0
    """When the last look that was observed began: rises with every look, whatever the clock does."""
    blind: bool = False
    """Its copies of meetings that its person organises are on record as blind: the next look that succeeds observes them."""
    asleep: bool = False
    """The integration was switched off: the next look lets go of everything."""
    owed: dict[str, bool] = {}
    """Meeting of which an observation was lost → whether a baseline said it. The next look observes them anew."""
    takes: dict[str, TakeRoom] = {}
    """Take id → a wish that waits for a look to succeed: its command may be behind the position already."""
    echoes: int = 0
    """How many looks in a row were repeated because a hint had announced a change that they did not show."""
    announced: int = 0
    """How many hints of changes came that no look has shown yet. It may count one twice, and then costs some looks more."""
    doubted_at_ms: int = 0
    """When a look found a change that no push had announced; 0 once a push has come again."""
    unread: tuple[str, ...] = ()
    """Meetings that a first look after a consent showed and that could not be written, because a record would have exceeded its
    bound: once they fit, they are observed as by that look."""
    full: bool = False
    """Somebody asked for a full look, which has not succeeded yet."""


class EventReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One event of one mailbox: identity, rooms as hashes with their answers, how many people, and the time. No content."""

    event_id: str
    uid: str
    """Meeting pseudonym; "" while a sparse occurrence waits for its master."""
    kind: str
    master_id: str = ""
    slot: str = ""
    start_ms: int = 0
    end_ms: int = 0
    organizer: str = ""
    is_organizer: bool = False
    shows_guests: bool = True
    rooms: dict[str, Answer] | None = None
    """None: not said by this item; an occurrence then takes its master's."""
    answered: dict[str, int] = {}
    """Room → when it gave its answer, by the provider's clock, where that is said: see `CopyDate.answered`."""
    people: dict[str, Answer] | None = None
    """Hashes and answers, as a look brings them in the organiser's copy and as earlier versions wrote them; None elsewhere, of a
    crowd, and where this item does not say."""
    people_apart: bool = False
    """Whether they stand in the pieces of the series' snapshot (`attendee_snapshot.SnapshotPiece`), and not here."""
    seats: int | None = None
    """How many people the event is for, its organiser included; None: not said by this item, see `rooms`."""
    version: str = ""
    """Opaque etag or change key. By it a look tells a change from an item that the provider repeats; the record is not written
    anew for it, so that after a take-over it is the one of the last change that was."""
    all_day: bool = False
    begins_ms: int = 0
    """The instant at which an all-day event begins where it is held; 0: not known, or not all-day."""
    ends_ms: int = 0
    sequence: int = 0
    """Google's."""
    can_change: bool = False
    """Whether this mailbox's person may change the event's rooms."""
    opened: tuple[str, ...] = ()
    """Rooms whose answer was opened when another room was taken here: what they had answered stands in `rooms`."""
    is_draft: bool = False
    """Of a series: whether its organiser has changed it since and not sent it. Everything else is as it was sent."""


def snapshot_of(people: dict[str, Answer] | None) -> dict[str, Answer] | None:
    """Choose what an organiser's copy keeps of the people of an event."""
    return people if people is not None and len(people) <= SNAPSHOT_PEOPLE else None


class LeftMailbox(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """
    What is kept of a mailbox that is not connected any more. Key on `calendar-state`: the mailbox and `left`.

    A person who connects again is looked at in full; a meeting that stands here and is not found there is gone.
    """

    meetings: dict[str, int] = {}
    """Pseudonym of a meeting with a room that its person organised → when its last known date ends, epoch milliseconds."""
