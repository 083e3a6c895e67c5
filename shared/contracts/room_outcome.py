"""The public closing events on `room-outcomes`: CloudEvents 1.0, structured JSON. Additive changes only."""

from __future__ import annotations

from enum import StrEnum

import msgspec

REGAINED_TYPE = "roomsync.room.regained.v1"
"""A room of the occurrence has accepted."""
CLOSED_TYPE = "roomsync.prompt.closed.v1"
"""Nothing is asked of anybody any more, and no room of the occurrence is known to have accepted."""
DATA_SCHEMA = "urn:roomsync:schema:RoomOutcome:1#/$defs/RoomOutcomeData"


class OutcomeReason(StrEnum):
    """How a published decline ended."""

    REBOOKED = "rebooked"
    """Another room that was asked after the decline has accepted; or the same room was asked anew for the same time and
    declined again, which is a decline of its own."""
    PROVIDER = "provider"
    """As `rebooked`, by a room that was asked so soon after the decline that the provider has to have put it in itself."""
    MOVED = "moved"
    """The occurrence has another time: the room was asked anew, or the request came to nothing."""
    CANCELLED = "cancelled"
    """The occurrence is off, or asks neither this room nor, pending, another one any more."""
    ACCEPTED = "accepted"
    """The room has accepted the same request after all."""
    PAST = "past"
    """The occurrence was over before any of the others."""
    DISMISSED = "dismissed"
    """Everybody who was asked to choose another room has put the prompt away."""


class RoomOutcomeData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which decline ended how, in keyed pseudonyms."""

    decline_id: str
    """The `id` of the decline event that this one closes."""
    tenant_id: str
    """The organisation."""
    room_id: str
    """The room that had declined."""
    reason: OutcomeReason
    """How it ended."""
    at: str
    """RFC 3339, UTC: when it was read from the calendar; of `past` the occurrence's end, of `dismissed` the person's act."""


class RoomOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A published decline has ended. At most one of each decline."""

    specversion: str = "1.0"
    """The version of CloudEvents."""
    id: str
    """Derived from the decline's: the same decline always ends under the same id. Deduplicate by it."""
    source: str
    """`/tenants/{tenantId}`."""
    type: str
    """`roomsync.room.regained.v1` or `roomsync.prompt.closed.v1`."""
    subject: str
    """`rooms/{roomId}`."""
    time: str
    """Equal to `data.at`."""
    partitionkey: str
    """The meeting, as of the decline: both stand in the partition of the same number."""
    datacontenttype: str = "application/json"
    """Of `data`."""
    dataschema: str = DATA_SCHEMA
    """The schema of `data`: a part of `RoomOutcome.schema.json`, whose `$id` it begins with."""
    data: RoomOutcomeData
