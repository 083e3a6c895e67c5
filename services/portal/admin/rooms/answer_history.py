"""What the organisation's meetings say of each room: the states of the people who are connected, without their content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.portal.deps import Deps
from shared.contracts.meeting_state import MeetingRecord, RoomRecord, parts_of
from shared.crypto.meetings import open_meeting
from shared.domain.identity import Mailbox
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.registry import tables

Memories = Mapping[str, tuple[RoomRecord, ...]]
"""Room id → every date that asked it, by start."""


def memories(deps: Deps, tenant: str) -> Memories:
    """
    Everything that is remembered of the organisation's rooms.

    Raises:
        StoreUnavailableError: the view cannot be reached.
    """
    found: dict[str, list[RoomRecord]] = {}
    for meeting in _meetings(deps, tenant):
        for memory in (room for date in meeting.dates for room in date.rooms):
            found.setdefault(memory.room, []).append(memory)
    return {room: tuple(sorted(each, key=lambda memory: memory.start_ms)) for room, each in found.items()}


def _meetings(deps: Deps, tenant: str) -> Iterator[MeetingRecord]:
    """Each meeting once, whoever of the connected people has a copy of it."""
    keys, seen = deps.engine.keyring.keys(tenant), set[str]()
    for mailbox, _ in tables.consents(deps.engine.registry).scan(tenant):
        for row in deps.engine.view.rows(Mailbox(tenant, mailbox).key.decode()):
            if row.value is None or row.key in seen or parts_of(row.key.encode())[1]:
                continue
            seen.add(row.key)
            try:
                yield open_meeting(row.key.encode(), row.value, keys).record
            except (KeyDestroyedError, MalformedRecordError):
                continue  # room-status' to mend; a room's health must not fail for it
