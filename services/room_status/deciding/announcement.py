"""How states and declines look in public: functions of facts, keys and rules, never of a wall clock. Pure."""

from __future__ import annotations

from services.room_status.deciding.outcomes import Ending
from shared.contracts.meeting_state import (
    DateRecord,
    MeetingRecord,
    RoomRecord,
    ask_of,
    count_announced,
    current_decline,
)
from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.room_outcome import CLOSED_TYPE, REGAINED_TYPE, RoomOutcome, RoomOutcomeData
from shared.contracts.room_state import RoomStatus
from shared.domain.instants import to_rfc3339
from shared.domain.keys import TenantKeys


def decline_event(room: RoomRecord, date: DateRecord, meeting: MeetingRecord, keys: TenantKeys) -> RoomDeclined:
    """The public event for a room whose decline was announced last."""
    observed_at = to_rfc3339(room.answered_at_ms)
    ask = ask_of(room, keys)
    decline = current_decline(meeting.meeting, date.ref, room, keys)
    return RoomDeclined(
        id=decline,
        source=f"/tenants/{keys.tenant}",
        subject=f"rooms/{room.room}",
        time=observed_at,
        partitionkey=meeting.meeting,
        data=RoomDeclinedData(
            tenant_id=keys.tenant,
            meeting_ref=meeting.meeting,
            occurrence_ref=date.ref,
            room_id=room.room,
            organizer_id=meeting.organizer,
            provider=meeting.provider,
            ask=ask,
            repeat=count_announced(room, ask) - 1,
            observed_at=observed_at,
            href=f"/v1/room-rejections/{decline}",
        ),
    )


def outcome_event(ending: Ending, meeting: str, keys: TenantKeys) -> RoomOutcome:
    """The public event for a decline that has ended. Its id depends on nothing but the decline's."""
    at = to_rfc3339(ending.at_ms)
    return RoomOutcome(
        id=f"c-{ending.decline.removeprefix('d-')}",
        source=f"/tenants/{keys.tenant}",
        type=REGAINED_TYPE if ending.regained else CLOSED_TYPE,
        subject=f"rooms/{ending.room}",
        time=at,
        partitionkey=meeting,
        data=RoomOutcomeData(
            decline_id=ending.decline, tenant_id=keys.tenant, room_id=ending.room, reason=ending.reason, at=at
        ),
    )


def room_status(
    room: RoomRecord, date: DateRecord, meeting: MeetingRecord, *, keys: TenantKeys, observed_at_ms: int
) -> RoomStatus:
    """The public state of one room of one date."""
    return RoomStatus(
        tenant_id=keys.tenant,
        meeting_ref=meeting.meeting,
        occurrence_ref=date.ref,
        room_id=room.room,
        state=room.state,
        ask=ask_of(room, keys),
        since=to_rfc3339(room.since_ms),
        observed_at=to_rfc3339(observed_at_ms),
    )


def status_key(tenant: str, occurrence: str, room: str) -> bytes:
    """The key of a room's record on `room-status`."""
    return f"{tenant}/{occurrence}/{room}".encode()
