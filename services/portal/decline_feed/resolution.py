"""Puts names to a decline event's pseudonyms, while the organisation lets us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypedDict

from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.problems import not_enabled
from services.portal.interface.fields import Address, DeclineId, Instant, RoomId, UserId
from shared.contracts.meeting_state import MeetingRecord, RoomRecord, RoomState, ask_of
from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.rows import IntegrationState, UserRow
from shared.crypto.meetings import open_meeting
from shared.domain.instants import to_rfc3339
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.organisations.addresses import hashes_of, people_by_address
from shared.registry import tables


class NamedRoom(TypedDict):
    """A room, as the organisation's list has it now."""

    id: RoomId
    name: Annotated[str, Meta(examples=["Riverside"])] | None
    """Null when it is not in the list any more."""
    address: Address | None


class ResolvedDecline(TypedDict):
    """A decline event with names."""

    id: DeclineId
    event: RoomDeclined
    room: NamedRoom
    start: Instant | None
    """As last known; null once the meeting is forgotten."""
    end: Instant | None
    state: RoomState | None
    """Where the room stands now."""
    sameAsk: bool | None
    """Whether the room is still asked for the very time that it declined."""
    organizerUserId: UserId | None


def resolve_event(deps: Deps, event: RoomDeclined) -> ResolvedDecline:
    """
    The event, its room, its time as last known, and our id of its organiser.

    Raises:
        ProblemError: 409 while the integration is not enabled: the pseudonyms lead nowhere, on purpose.
    """
    data = event.data
    keys = _require_keys(deps, data.tenant_id)
    users = dict(tables.users(deps.engine.registry).scan(data.tenant_id))
    meeting = _find_meeting(deps, keys, data, users)
    memory = _find_room(meeting, data)
    room = tables.rooms(deps.engine.registry).get(data.tenant_id, data.room_id)
    return {
        "id": event.id,
        "event": event,
        "room": {
            "id": data.room_id,
            "name": room.name if room else None,
            "address": room.address if room else None,
        },
        "start": to_rfc3339(memory.start_ms) if memory else None,
        "end": to_rfc3339(memory.end_ms) if memory else None,
        "state": memory.state if memory else None,
        "sameAsk": ask_of(memory, keys) == data.ask if memory else None,
        "organizerUserId": _find_organizer(meeting, data, users),
    }


def _require_keys(deps: Deps, tenant: str) -> TenantKeys:
    row = tables.tenants(deps.engine.registry).get(tenant, "tenant")
    try:
        if row is not None and row.integration is IntegrationState.ENABLED:
            return deps.engine.keyring.keys(tenant)
    except KeyDestroyedError:
        pass
    raise not_enabled(
        title="This organisation has not switched the integration on.",
        next_step="Use the event as it stands: what it named is destroyed with switching off. Later events can be resolved.",
    )


def _find_meeting(
    deps: Deps, keys: TenantKeys, data: RoomDeclinedData, users: dict[str, UserRow]
) -> MeetingRecord | None:
    """The view answers by owner alone: the organiser first, then whoever else may have a copy."""
    key = f"{data.tenant_id}/{data.meeting_ref}"
    for mailbox in _likely_owners(data, users):
        for row in deps.engine.view.rows(f"{data.tenant_id}/{mailbox}"):
            if row.key == key and row.value is not None:
                try:
                    return open_meeting(key.encode(), row.value, keys).record
                except (KeyDestroyedError, MalformedRecordError):
                    return None
    return None


def _likely_owners(data: RoomDeclinedData, users: dict[str, UserRow]) -> Iterator[str]:
    ordered = sorted(users.values(), key=lambda user: data.organizer_id not in hashes_of(user))
    return (user.mailbox for user in ordered)


def _find_room(meeting: MeetingRecord | None, data: RoomDeclinedData) -> RoomRecord | None:
    dates = meeting.dates if meeting else ()
    rooms = (room for date in dates if date.ref == data.occurrence_ref for room in date.rooms)
    return next((room for room in rooms if room.room == data.room_id), None)


def _find_organizer(meeting: MeetingRecord | None, data: RoomDeclinedData, users: dict[str, UserRow]) -> str | None:
    """By the organiser's own copy; where they are not connected, by any of their addresses."""
    mailbox = meeting.organizer_mailbox if meeting else ""
    by_copy = (name for name, user in users.items() if mailbox and user.mailbox == mailbox)
    by_address = people_by_address(users.items()).get(data.organizer_id)
    return next(by_copy, None) or (by_address[0] if by_address else None)
