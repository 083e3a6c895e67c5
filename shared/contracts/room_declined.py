"""The public decline event on `room-rejections`: CloudEvents 1.0, structured JSON. Additive changes only."""

from __future__ import annotations

import msgspec

TYPE = "roomsync.room.declined.v1"


class RoomDeclinedData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who and what, in keyed pseudonyms: no subject, names, addresses or times of day."""

    tenant_id: str
    meeting_ref: str
    """Keyed pseudonym: the same for all occurrences and copies of a meeting. Destroying the key unlinks it."""
    occurrence_ref: str
    room_id: str
    organizer_id: str
    provider: str
    """`microsoft` or `google`."""
    ask: str
    """One request of the room for one time: a meeting that moves asks anew."""
    repeat: int
    """How many declines of the same ask came before this one."""
    observed_at: str
    """RFC 3339, UTC: when the decline was read from the calendar."""
    href: str
    """Where a subscriber with a service token resolves the pseudonyms, relative to the product's address."""


class RoomDeclined(msgspec.Struct, frozen=True, kw_only=True):
    """A room said no. One per real decline of one room for one occurrence."""

    specversion: str = "1.0"
    id: str
    """Derived from the facts: the same decline always has the same id. Deduplicate by it."""
    source: str
    """`/tenants/{tenantId}`."""
    type: str = TYPE
    subject: str
    """`rooms/{roomId}`."""
    time: str
    """Equal to `data.observedAt`."""
    partitionkey: str
    """The meeting: declines of one meeting keep their order."""
    datacontenttype: str = "application/json"
    data: RoomDeclinedData
