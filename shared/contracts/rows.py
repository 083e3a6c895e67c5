"""What the registry keeps, one struct a table. Every row belongs to a tenant; there is no query without one."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class IntegrationState(StrEnum):
    """Whether an organisation's people may connect (design §8)."""

    OFF = "off"
    TESTING = "testing"
    FAILED = "failed"
    ENABLED = "enabled"
    DISABLED = "disabled"


class ConsentState(StrEnum):
    """Where one person's grant stands."""

    CONNECTING = "connecting"
    ACTIVE = "active"
    FAILING = "failing"
    SUSPENDED = "suspended"
    """The token endpoint refuses it for a reason that can pass: kept, and tried again for two weeks."""
    REVOKED = "revoked"
    SLEEPING = "sleeping"


class RoomProof(StrEnum):
    """Who says that the address of a room is one."""

    DIRECTORY = "directory"
    """The provider's directory lists it among the organisation's rooms."""
    ADDRESS = "address"
    """It is an address that the provider gives to resources alone (`GOOGLE_RESOURCES`)."""
    OPERATOR = "operator"
    """Whoever operates this deployment: `roomsync tenants enable --rooms` and `enter-rooms`."""
    EARLIER = "earlier"
    """Version 0.1.0 followed it, which wrote nothing down: so its rooms lose nothing when a deployment is taken over."""


ENTERED = "entered"
"""In place of a proof: an administrator entered the room, and nobody whose word counts has confirmed it."""


GOOGLE_RESOURCES = "@resource.calendar.google.com"
"""
The end of the addresses that Google itself makes for calendar resources, and nobody else can make: the domain is Google's, and
`resourceEmail` is read-only and "generated as part of creating a new calendar resource", which administrators do
(https://developers.google.com/workspace/admin/directory/reference/rest/v1/resources.calendars). People have an address of their
organisation's domain or of gmail.com, and calendars that people make end in `@group.calendar.google.com`.
"""


class _Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    pass


class TenantRow(_Row, frozen=True):
    """An organisation. Table `tenants`, id the word `tenant`: there is one a tenant."""

    name: str
    provider: str
    directory: str
    """The provider's id of the organisation: Entra tenant id, or Google's hosted domain. "" before one was chosen."""
    integration: IntegrationState
    contact: str = ""
    """Whom people without rights are told to ask."""
    ids_key: bytes = b""
    """Names people and mailboxes. No secret: it makes ids of one organisation unlike another's, and outlives the data keys."""
    sleep_until_ms: int = 0
    """While consents sleep: when their key is destroyed (120 hours after disabling); 0 when none sleep."""
    doomed_era: str = ""
    """After disabling: the era of the data keys that are to be destroyed; "" once they are and all is re-made."""


class DirectoryRow(_Row, frozen=True):
    """Which tenant a provider's organisation is. Table `directories`, under the pseudo-tenant `-`, id `provider:directory`."""

    tenant: str
    leaving_at_ms: int = 0
    """When the organisation began to give it up: nobody signs in from it any more. The row goes once that is done."""


class TenantConsentRow(_Row, frozen=True):
    """
    That an administrator's consent for a whole directory was seen. Table `tenant-consents`, id = provider.

    It is what a browser brought back from the provider, which signs nothing of it: it is shown, and no right follows from it.
    """

    directory: str
    """The provider's id of the organisation, as the answer named it."""
    at_ms: int
    scopes: tuple[str, ...] = ()
    """The permissions, as the answer named them, without what stands before their names."""


class UserRow(_Row, frozen=True):
    """A person who has signed in. Table `users`, id = user id."""

    provider: str
    subject: str
    """The provider's own id of the person."""
    address_sealed: bytes
    """Under the consent key: needed to call the provider as them, unreadable once the key is gone."""
    person: str
    """Keyed hash of the address they sign in with: how they appear in observations, as by any of `aliases`."""
    mailbox: str
    aliases: tuple[str, ...] = ()
    """Keyed hashes of their other addresses, by which invitations may name them (`shared.organisations.addresses`)."""
    mail_sealed: bytes = b""
    """Under the consent key: where mail reaches them, if that is another address than the one they sign in with."""
    addresses_at_ms: int = 0
    """When their provider's directory was last asked for their addresses; 0: not yet, or their hashes' key has changed."""
    roles: tuple[str, ...] = ()
    """Words of `shared.domain.roles.Role`; everybody is an employee without being listed as one."""
    welcomed_at_ms: int = 0
    """When the welcome was answered, by connecting or by "later": it is shown until then."""
    row_counts: dict[str, int] = {}
    """Kind of row → how many of them the person has written, an upper bound: nobody fills the store without end."""
    session_epoch: int = 0
    """How often they have signed out everywhere: sessions of an earlier epoch are over."""
    sessions: tuple[str, ...] = ()
    """Ids of their latest sessions, the oldest first, some of which may have ended: whoever opens one too many ends the oldest."""
    language: str = ""
    """The language that they chose, of `shared.language.deciding.negotiation.LANGUAGES`; "" for that of their browser."""
    clock: str = ""
    """`12` or `24` hours, as they chose; "" for what is usual in their language and country."""
    week: str = ""
    """The day on which their weeks begin, as they chose: a word of `WeekChoice`."""
    directory: str = ""
    """Which of the organisation's directories they signed in from last; "": not since version 0.1.0, which wrote none."""
    browser_language: str = ""
    """What their browser asked for at their last sign-in, with the country (`de-CH`): for mails, which no browser asks for."""

    @property
    def hashes(self) -> frozenset[str]:
        """The keyed hashes of all addresses that they are known by."""
        return frozenset({self.person, *self.aliases})


class ConsentRow(_Row, frozen=True):
    """A person's grant. Table `consents`, id = mailbox id."""

    user: str
    provider: str
    subject: str
    state: ConsentState
    refresh_sealed: bytes = b""
    access_sealed: bytes = b""
    access_expires_at_ms: int = 0
    refreshing_until_ms: int = 0
    """Single flight: the process that wrote this refreshes; the others wait for the row to change."""
    scopes: tuple[str, ...] = ()
    ends_at_ms: int = 0
    """When the grant ends by itself, whatever is done with it, as its provider said with it; 0: it named no end."""
    reason: str = ""
    """Why it is failing, suspended or revoked: the provider's error code."""
    refreshed_at_ms: int = 0
    """When the access token was given by a refresh; 0: by its person's consent."""
    suspended_at_ms: int = 0
    """When its suspension began; 0 while there is none."""
    refusals: int = 0
    """How often it was refused since then."""
    retry_at_ms: int = 0
    """While suspended: before then the token endpoint is not asked."""
    connected_at_ms: int = 0
    first_look_at_ms: int = 0
    """When the baseline look committed: from then on the page says "connected"."""
    leaving_at_ms: int = 0
    """When its person asked to disconnect: the grant goes once the subscription has been ended with it."""
    asleep_until_ms: int = 0
    """While sleeping: the row's own deadline, so that every writer of the row keeps it."""


class RoomRow(_Row, frozen=True):
    """A meeting room. Table `rooms`, id = room id (`TenantKeys.room`)."""

    address: str
    name: str
    capacity: int = 0
    building: str = ""
    floor: str = ""
    paired: bool = True
    """Whether it is joined with the provider's room calendar: not while the integration is off; its information stays."""
    resource: str = ""
    """
    Who said that this address is a room, where it was written down: `directory` or `operator`; `entered` while nobody has.

    `attendee` was written as well: a meeting named it a resource. That is the word of whoever wrote the meeting, and proves
    nothing. Rows of version 0.1.0 lack the field and read as "". What counts is `proof`.
    """
    directory_id: str = ""
    """The provider's own id of the room: Graph place id, Google `resourceId`. "" while unknown."""
    aliases: tuple[str, ...] = ()
    """Further addresses that reach this room, lower-cased: former primary addresses and the directory's aliases."""
    equipment: tuple[str, ...] = ()
    """What is in it, as the directory or an administrator calls it."""
    accessible: bool | None = None
    """Whether it can be used with a wheelchair; None: nobody said."""
    section: str = ""
    """The part of the floor, as the directory calls it: Google's `floorSection`."""
    description: str = ""
    """What the directory shows everybody of it, in one line: Google's `userVisibleDescription`."""

    @property
    def proof(self) -> RoomProof | None:
        """
        Who says that it is a room; None while nobody does whose word counts.

        Without proof a room is shown without a schedule, offered to nobody, and nothing of it is told.
        """
        if self.resource in {RoomProof.DIRECTORY, RoomProof.OPERATOR}:
            return RoomProof(self.resource)
        if self.address.lower().endswith(GOOGLE_RESOURCES):
            return RoomProof.ADDRESS
        return None if self.resource else RoomProof.EARLIER

    @property
    def confirmed(self) -> bool:
        """Whether there is proof that it is a room."""
        return self.proof is not None


class RoomImportRow(_Row, frozen=True):
    """
    What the provider's directory listed, while an administrator looks at what an import of it would do.

    Table `room-imports`, id the word `latest`: the next import replaces it. Gone after an hour.
    """

    preview: str
    """Random: the page that shows this listing, and no other, is the one that imports it."""
    at_ms: int
    listed: bytes
    """The rooms as they were listed: a JSON array, compressed."""


class DismissalRow(_Row, frozen=True):
    """
    A prompt that its person put away. Table `dismissals`, id = `prompt id/user id`: what one person puts away stays with another.

    Version 0.1.0 wrote them under the prompt id alone; those are read, for the person whom they name.
    """

    user: str
    at_ms: int


class NotificationRow(_Row, frozen=True):
    """How a person wants to be told of prompts that nobody looks at. Table `notifications`, id = user id."""

    mail: bool = True
    first: bool = True
    """A minute after the prompt opened."""
    day_before: bool = True
    """24 hours before the meeting."""
    hours_before: bool = True
    """Two hours before the meeting."""
    quiet: bool = True
    quiet_from: str = "22:00"
    """On the wall clock of `zone`."""
    quiet_until: str = "07:00"
    zone: str = ""
    """The IANA name of the person's time zone, as their browser says; "" while it is not known: then no hour is quiet."""
    refused_at_ms: int = 0
    """When the mail server refused the person's address for good; 0: it did not, or they switched mail on again since."""
    refusal: str = ""
    """The server's codes: `550 5.1.1`."""
    calendar: bool = False
    """Whether an event in their own calendar reminds them."""
    calendar_since_ms: int = 0
    """When that was first switched on: such events may stand in the calendar since then; 0: never."""
    calendar_refused_at_ms: int = 0
    """When the calendar refused such an event for good; 0: it did not, or they switched it on again since."""
    calendar_refusal: str = ""
    """The provider's code."""
    browser: bool = True
    """Whether notices are shown in the browsers in which they asked for that; there are none of these to begin with."""


class DeclineIncidentRow(_Row, frozen=True):
    """
    The latest time at which many rooms said no at once. Table `decline-incidents`, id the word `latest`.

    The notifier, which records the incident on `notification-state`, writes it here for the pages; a person ends it here.
    """

    id: str
    began_at_ms: int
    last_at_ms: int
    declines: int
    upcoming: int
    cause: str
    """A word of `CauseKind`."""
    about: str = ""
    """A room's id, a building's name, or the word of an act; as `LikelyCause`."""
    share: int = 0
    ended_at_ms: int = 0
    """When it was over by itself."""
    released_at_ms: int = 0
    """When an administrator ended it."""

    @property
    def over_at_ms(self) -> int:
        """When what was held is sent again; 0 while the incident lasts."""
        return self.released_at_ms or self.ended_at_ms


class TakeState(StrEnum):
    """How far a "take that one" has come."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class TakeRow(_Row, frozen=True):
    """One "take that one". Table `takes`, id = take id (from user and Idempotency-Key)."""

    user: str
    prompt: str
    room: str
    state: TakeState
    reason: str = ""
    at_ms: int = 0
    whole_series: bool = False
    """Asked together with the takes of the other dates, by one change of the series."""


class BookingRow(_Row, frozen=True):
    """Which room "any that is free" came to. Table `bookings`, id = request id (keyed hash of user, Idempotency-Key and wish)."""

    room: str


class SessionRow(_Row, frozen=True):
    """A signed-in browser. Table `sessions`, id = keyed hash of the cookie's value; dropped after `not_after`."""

    user: str
    csrf: str
    epoch: int = 0
    """The person's `session_epoch` when they signed in; the session lasts as long as it stays that."""
    opened_at_ms: int = 0
    """When they signed in; 0: by an earlier version, and the session is not prolonged."""
    prolonged_at_ms: int = 0
    """When it was last prolonged, or opened."""


class CandidateEntry(_Row, frozen=True):
    """An account that signed in with an address that was appointed, inside an `AppointmentRow`; it has no right by it."""

    provider: str
    sealed: bytes
    """Name, address and account id as its provider gave them, under the consent key."""
    at_ms: int
    """When it signed in; 0: before it was appointed."""


class AppointmentRow(_Row, frozen=True):
    """
    Rights meant for somebody who has not been identified yet. Table `appointments`.

    The id is `people.appointment_id` of an address, whose candidates wait to be confirmed, or
    `people.account_appointment_id` of an account, which has them with its next sign-in.
    """

    roles: tuple[str, ...]
    address_sealed: bytes = b""
    """Under the consent key: so that who appoints sees whom they have appointed, by the address or account they gave."""
    candidates: dict[str, CandidateEntry] = {}
    """User id → the account that waits to be confirmed; a few at most."""
    confirmed: tuple[str, ...] = ()
    """Providers of which an account was confirmed: no other account of theirs becomes a candidate."""
    refused: tuple[str, ...] = ()
    """User ids that were refused: signing in again does not make them candidates again."""


class ServiceToken(_Row, frozen=True):
    """A token of a back-end service, inside a `ServiceTokensRow`."""

    hash: bytes
    """SHA-256 of the token, which has 256 random bits and is kept nowhere."""
    made_at_ms: int


class ServiceTokensRow(_Row, frozen=True):
    """With which tokens back-end services read what belongs to the organisation. Table `service-tokens`, id the word `tokens`."""

    tokens: tuple[ServiceToken, ...]


class AuditRow(_Row, frozen=True):
    """What an administrator did. Table `audit`, id = number in the chain (`shared.organisations.audit_chain`); kept a year."""

    at_ms: int
    user: str
    act: str
    """`integration.enabled`, `room.entered`: a word of ours."""
    about: str = ""
    """An id of ours (a room, a user), never a name or address."""
    outcome: str = "done"
    before: str = ""
    """Digest of the row before it in the chain; "" for a row that begins one, and for those of version 0.1.0."""
    before_at_ms: int = 0
    """When that act was done: tells a row that has ended its time from one that was taken away."""


class AuditHeadRow(_Row, frozen=True):
    """How far the chain of an organisation's `audit` reaches. Table `audit-heads`, id the word `head`."""

    number: int
    digest: str
    """Of the row at that number; "" where the next one begins a chain."""
    at_ms: int = 0
    """When that act was done."""


class EndingRow(_Row, frozen=True):
    """Subscriptions that still have to be ended at the provider. Table `endings`, id = mailbox id; sealed by the consent key."""

    provider: str
    sealed: bytes
    failures: int = 0
    not_before_ms: int = 0


class FreshnessRow(_Row, frozen=True):
    """How fresh what we know of a calendar is, to the minute. Table `freshness`, id = mailbox; ends two days after a look."""

    heard_at_ms: int
    """When its calendar system last pushed a change; 0: not yet."""
    checked_at_ms: int
    """When it was last looked at to the end, with or without a push."""
    references: int | None = None
    """How many references and pieces of snapshots were kept of it then; None: a version wrote the row that counted none."""


class OfficeDayRow(_Row, frozen=True):
    """Where a person works on a day. Table `office-days`, id = `user/YYYY-MM-DD`."""

    place: str
    """`office` or `remote`."""


class AttendanceRow(_Row, frozen=True):
    """
    Where a person attends one date of a meeting from. Table `attendances`, id = `meeting/occurrence/user`.

    Earlier versions wrote the person's hashed address (`UserRow.person`) in place of the user; those are read as well.
    """

    place: str
    """`office` or `remote`."""
    user: str


def attendance_ids(meeting: str, occurrence: str, user: str, row: UserRow) -> tuple[str, str]:
    """Name the row of what a person said of a date: where it stands; second, where earlier versions wrote it."""
    return f"{meeting}/{occurrence}/{user}", f"{meeting}/{occurrence}/{row.person}"


class SignInRow(_Row, frozen=True):
    """A sign-in that was begun. Table `sign-ins`, id = keyed hash of browser and state; gone after ten minutes."""

    provider: str
    back_to: str
    began_at_ms: int
    purpose: str = "connect"
    """What the person is sent to their provider for: a word of the portal's `Purpose`."""
    user: str = ""
    """Who began it while signed in, to connect their own calendar; "" for whoever signs in."""
    session: str = ""
    """The session in which they began it, by its id in `sessions`; "" for whoever signs in."""
    used: bool = False


class LeaseRow(_Row, frozen=True):
    """That one process is at a piece of work. Table `leases`, id = the work; gone after a minute."""

    token: str
    """Made up by the process that holds it."""
