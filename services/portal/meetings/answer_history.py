"""What the organisation's meetings say of each room: the states of the people who are connected, without their content."""

from __future__ import annotations

from collections.abc import Mapping

from services.portal.deps import Deps
from shared.contracts.meeting_state import RoomRecord
from shared.organisations.room_report import read_meetings

Memories = Mapping[str, tuple[RoomRecord, ...]]
"""Room id → every date that asked it, by start."""


def memories(deps: Deps, tenant: str) -> Memories:
    """
    Everything that is remembered of the organisation's rooms.

    Raises:
        StoreUnavailableError: the view cannot be reached.
    """
    found: dict[str, list[RoomRecord]] = {}
    engine = deps.engine
    for meeting in read_meetings(engine.view, engine.registry, engine.keyring.keys(tenant)):
        for memory in (room for date in meeting.dates for room in date.rooms):
            found.setdefault(memory.room, []).append(memory)
    return {room: tuple(sorted(each, key=lambda memory: memory.start_ms)) for room, each in found.items()}
