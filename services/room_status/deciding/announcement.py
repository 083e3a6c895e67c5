"""How states and declines look in public: functions of facts, keys and rules, never of a wall clock. Pure."""

from __future__ import annotations

from shared.contracts.meeting_state import MeetingState, RoomMemory
from shared.contracts.observation import Observation
from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.room_state import RoomStatus
from shared.domain.instants import to_rfc3339
from shared.domain.keys import TenantKeys


def decline_event(
    room: RoomMemory, *, meeting: str, voice: Observation, seen: Observation, keys: TenantKeys
) -> RoomDeclined:
    """The public event for a room that has just said no. Its id was derived by the fold."""
    observed_at = to_rfc3339(seen.observed_at_ms)
    return RoomDeclined(
        id=room.decline_id,
        source=f"/tenants/{keys.tenant}",
        subject=f"rooms/{room.room}",
        time=observed_at,
        partitionkey=meeting,
        data=RoomDeclinedData(
            tenant_id=keys.tenant,
            meeting_ref=meeting,
            occurrence_ref=room.occurrence,
            room_id=room.room,
            organizer_id=voice.organizer,
            provider=voice.provider,
            ask=room.ask,
            repeat=room.repeats[room.ask] - 1,
            observed_at=observed_at,
            href=f"/v1/room-rejections/{room.decline_id}",
        ),
    )


def room_status(room: RoomMemory, meeting: MeetingState, *, tenant: str, observed_at_ms: int) -> RoomStatus:
    """The public state of one room."""
    return RoomStatus(
        tenant_id=tenant,
        meeting_ref=meeting.meeting,
        occurrence_ref=room.occurrence,
        room_id=room.room,
        state=room.state,
        ask=room.ask,
        since=to_rfc3339(room.since_ms),
        observed_at=to_rfc3339(observed_at_ms),
    )


def status_key(tenant: str, room: RoomMemory) -> bytes:
    """The key of a room's record on `room-status`."""
    return f"{tenant}/{room.occurrence}/{room.room}".encode()
