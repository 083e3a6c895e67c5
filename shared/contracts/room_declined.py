"""The public decline event on `room-rejections`: CloudEvents 1.0, structured JSON. Additive changes only."""

from __future__ import annotations

import msgspec

TYPE = "roomsync.room.declined.v1"
DATA_SCHEMA = "urn:roomsync:schema:RoomDeclined:1#/$defs/RoomDeclinedData"


class RoomDeclinedData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who and what, in keyed pseudonyms: no subject, names, addresses or times of day."""

    tenant_id: str
    """The organisation."""
    meeting_ref: str
    """Keyed pseudonym: the same for all occurrences and copies of a meeting. Destroying the key unlinks it."""
    occurrence_ref: str
    """Keyed pseudonym of one date of the meeting."""
    room_id: str
    """Keyed pseudonym of the room: the same in all meetings of the organisation."""
    organizer_id: str
    """Keyed pseudonym of the meeting's organiser."""
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
    """The version of CloudEvents."""
    id: str
    """Derived from the facts: the same decline always has the same id. Deduplicate by it."""
    source: str
    """`/tenants/{tenantId}`."""
    type: str = TYPE
    """What happened, with the version of the event's shape."""
    subject: str
    """`rooms/{roomId}`."""
    time: str
    """Equal to `data.observedAt`."""
    partitionkey: str
    """The meeting: declines of one meeting keep their order."""
    datacontenttype: str = "application/json"
    """Of `data`."""
    dataschema: str = DATA_SCHEMA
    """The schema of `data`: a part of `RoomDeclined.schema.json`, whose `$id` it begins with."""
    data: RoomDeclinedData
