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
    REVOKED = "revoked"
    SLEEPING = "sleeping"


class _Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    pass


class TenantRow(_Row, frozen=True):
    """An organisation. Table `tenants`, id the word `tenant`: there is one a tenant."""

    name: str
    provider: str
    directory: str
    """The provider's id of the organisation: Entra tenant id, or Google's hosted domain."""
    integration: IntegrationState
    contact: str = ""
    """Whom people without rights are told to ask."""


class DirectoryRow(_Row, frozen=True):
    """Which tenant a provider's organisation is. Table `directories`, under the pseudo-tenant `-`, id `provider:directory`."""

    tenant: str


class UserRow(_Row, frozen=True):
    """A person who has signed in. Table `users`, id = user id."""

    provider: str
    subject: str
    """The provider's own id of the person."""
    address_sealed: bytes
    """Under the consent key: needed to call the provider as them, unreadable once the key is gone."""
    person: str
    """Keyed hash of the address: how they appear in observations."""
    mailbox: str
    roles: tuple[str, ...] = ()


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
    """Single flight: whoever wrote this refreshes; the others wait for the row to change."""
    scopes: tuple[str, ...] = ()
    reason: str = ""
    """Why it is failing or revoked: the provider's error code."""
    connected_at_ms: int = 0
    first_look_at_ms: int = 0
    """When the baseline look committed: from then on the page says "connected"."""


class RoomRow(_Row, frozen=True):
    """A meeting room. Table `rooms`, id = room id (`TenantKeys.room`)."""

    address: str
    name: str
    capacity: int = 0
    building: str = ""
    floor: str = ""


class DismissalRow(_Row, frozen=True):
    """A prompt that its person put away. Table `dismissals`, id = prompt id."""

    user: str
    at_ms: int


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


class SessionRow(_Row, frozen=True):
    """A signed-in browser. Table `sessions`, id = keyed hash of the cookie's value; dropped after `not_after`."""

    user: str
    csrf: str
