"""The public state of a room on `room-status`: compacted, the newest record per key is the truth."""

from __future__ import annotations

import msgspec


class RoomStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One room of one occurrence. A tombstone under the same key says that the meeting is past."""

    tenant_id: str
    """The organisation."""
    meeting_ref: str
    """Keyed pseudonym, as in the decline events."""
    occurrence_ref: str
    """Keyed pseudonym of one date of the meeting."""
    room_id: str
    """Keyed pseudonym of the room."""
    state: str
    """`pending`, `accepted`, `declined`, `released`, `gone` or `unknown`."""
    ask: str
    """One request of the room for one time: a meeting that moves asks anew."""
    since: str
    """RFC 3339, UTC: when this state was first observed."""
    observed_at: str
    """RFC 3339, UTC: when the look began that changed it."""
