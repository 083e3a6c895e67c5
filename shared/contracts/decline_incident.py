"""
Many rooms of an organisation that say no at once: what the notifier counts, and what is recorded of an incident. Sealed.

On `organisation-declines`, in the partition of the organisation, an OrganisationDecline repeats each decline under
`tenant/~declines/prompt`; on `notification-state` it stands under the same key while it may belong to an incident, and
`tenant/~incident` holds the DeclineIncident while there is one.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.notification import RungDelivery

DECLINE_TYPE = "organisation-decline"
INCIDENT_TYPE = "decline-incident"
_COUNTED = "~declines"
_INCIDENT = "~incident"


class CauseKind(StrEnum):
    """What most declines of an incident have in common."""

    ACT = "act"
    """An administrator changed these rooms shortly before."""
    ROOM = "room"
    BUILDING = "building"
    ORGANIZER = "organizer"
    PROVIDER = "provider"
    NONE = "none"


class LikelyCause(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The likely common cause."""

    kind: CauseKind
    about: str = ""
    """An id of ours, a building's name, or the word of an act."""
    share: int = 0
    """How many of the declines have it in common."""


class OrganisationDecline(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One decline, as much of it as tells what many have in common."""

    prompt: str
    """The decline's id."""
    observed_at_ms: int
    """When the room's answer was seen at its provider."""
    room: str
    organizer: str
    provider: str
    read_at_ms: int = 0
    """When it was counted; 0 on the topic."""


class DeclineIncident(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Many declines at once. What is sent to people outside their pages is held until it is over."""

    id: str
    began_at_ms: int
    last_at_ms: int
    """When the latest of its declines was counted: it is over a while after."""
    declines: int
    upcoming: int
    """How many rooms the organisation had asked for meetings to come."""
    cause: LikelyCause
    alarms: dict[str, RungDelivery] = {}
    """Administrator → how far the message to them has come."""


def counted_key(tenant: str, prompt: str) -> bytes:
    """The key of a decline on `organisation-declines`, and on `notification-state` while it is counted."""
    return f"{tenant}/{_COUNTED}/{prompt}".encode()


def incident_key(tenant: str) -> bytes:
    """The key of an organisation's incident on `notification-state`."""
    return f"{tenant}/{_INCIDENT}".encode()


def is_counted(key: bytes) -> bool:
    """Whether a key of `notification-state` is that of a counted decline."""
    return key.partition(b"/")[2].startswith(f"{_COUNTED}/".encode())


def is_incident(key: bytes) -> bool:
    """Whether a key of `notification-state` is that of an incident."""
    return key.partition(b"/")[2] == _INCIDENT.encode()
