"""The organisation's list of rooms as looks need it, remembered for a few seconds, and confirmed by what calendars say."""

from __future__ import annotations

import msgspec

from services.sync_worker.deciding.listed_rooms import CONFIRMED_BY_ATTENDEE, ListedRooms
from shared.contracts.rows import RoomRow
from shared.domain.instants import SECOND_MS
from shared.domain.sighting import Look, SeenEvent
from shared.ports.clock import Clock
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.logging import get_logger

REMEMBER_MS = 10 * SECOND_MS

logger = get_logger()


class RoomAddresses:
    """Every organisation's listed rooms. A room that was entered just now is known within ten seconds."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Nothing is read before it is asked for."""
        self._rooms = tables.rooms(registry)
        self._clock = clock
        self._known: dict[str, tuple[int, ListedRooms]] = {}

    def of(self, tenant: str) -> ListedRooms:
        """The tenant's rooms by address. Raises StoreUnavailableError."""
        now_ms = self._clock.now_ms()
        read_at_ms, rooms = self._known.get(tenant, (-REMEMBER_MS, ListedRooms()))
        if abs(now_ms - read_at_ms) >= REMEMBER_MS:
            rooms = ListedRooms.of(self._rooms.scan(tenant))
            self._known[tenant] = (now_ms, rooms)
        return rooms

    def confirm(self, tenant: str, look: Look) -> None:
        """Write down which rooms of the list this look names as resources, once a room. Raises StoreUnavailableError."""
        attendees = (each for seen in look.seen if isinstance(seen, SeenEvent) for each in seen.attendees or ())
        for room in sorted(self.of(tenant).newly_confirmed(attendees)):
            self._rooms.change(tenant, room, _confirmed)
            self._known.pop(tenant, None)
            logger.info("room_confirmed", tenant=tenant, room=room, by=CONFIRMED_BY_ATTENDEE)


def _confirmed(row: RoomRow | None) -> RoomRow | None:
    return msgspec.structs.replace(row, resource=CONFIRMED_BY_ATTENDEE) if row and not row.resource else row
