"""The public state of a room on `room-status`: compacted, the newest record per key is the truth."""

from __future__ import annotations

import msgspec


class RoomStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One room of one occurrence. A tombstone under the same key says that the meeting is past."""

    tenant_id: str
    meeting_ref: str
    occurrence_ref: str
    room_id: str
    state: str
    """`pending`, `accepted`, `declined`, `released`, `gone` or `unknown`."""
    ask: str
    since: str
    """RFC 3339, UTC: when this state was first observed."""
    observed_at: str
