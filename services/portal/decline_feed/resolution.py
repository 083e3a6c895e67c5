"""Puts names to a decline event's pseudonyms, while the organisation lets us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from shared.organisations.addresses import people_by_address
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
    organizers = tables.users(deps.engine.registry).find(data.tenant_id, {data.organizer_id})
    meeting = _find_meeting(deps, keys, data, organizers)
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
        "organizerUserId": _find_organizer(deps, meeting, data, organizers),
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
    deps: Deps, keys: TenantKeys, data: RoomDeclinedData, organizers: Mapping[str, UserRow]
) -> MeetingRecord | None:
    """The view answers by owner alone: the organiser first, then whoever else may have a copy."""
    key = f"{data.tenant_id}/{data.meeting_ref}"
    for mailbox in _likely_owners(deps, data, organizers):
        for row in deps.engine.view.rows(f"{data.tenant_id}/{mailbox}"):
            if row.key == key and row.value is not None:
                try:
                    return open_meeting(key.encode(), row.value, keys).record
                except (KeyDestroyedError, MalformedRecordError):
                    return None
    return None


def _likely_owners(deps: Deps, data: RoomDeclinedData, organizers: Mapping[str, UserRow]) -> Iterator[str]:
    """All people are read only where no copy of the organiser's own is known."""
    yield from (user.mailbox for user in organizers.values())
    users = tables.users(deps.engine.registry).scan(data.tenant_id)
    yield from (user.mailbox for name, user in users if name not in organizers)


def _find_room(meeting: MeetingRecord | None, data: RoomDeclinedData) -> RoomRecord | None:
    dates = meeting.dates if meeting else ()
    rooms = (room for date in dates if date.ref == data.occurrence_ref for room in date.rooms)
    return next((room for room in rooms if room.room == data.room_id), None)


def _find_organizer(
    deps: Deps, meeting: MeetingRecord | None, data: RoomDeclinedData, organizers: Mapping[str, UserRow]
) -> str | None:
    """By the organiser's own copy; where they are not connected, by any of their addresses."""
    if meeting and meeting.organizer_mailbox:
        owner = _owner_of(deps, data.tenant_id, meeting.organizer_mailbox, organizers)
        if owner:
            return owner
    by_address = people_by_address(organizers.items()).get(data.organizer_id)
    return by_address[0] if by_address else None


def _owner_of(deps: Deps, tenant: str, mailbox: str, organizers: Mapping[str, UserRow]) -> str | None:
    """By those who are read already, else by the grant; who has taken that back is looked for among all."""
    registry = deps.engine.registry
    if known := next((name for name, user in organizers.items() if user.mailbox == mailbox), None):
        return known
    if grant := tables.consents(registry).get(tenant, mailbox):
        return grant.user
    return next((name for name, user in tables.users(registry).scan(tenant) if user.mailbox == mailbox), None)
