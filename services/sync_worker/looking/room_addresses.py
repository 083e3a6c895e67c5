"""The organisation's list of rooms as looks need it, remembered for a few seconds."""

from __future__ import annotations

from services.sync_worker.deciding.listed_rooms import ListedRooms
from shared.domain.instants import SECOND_MS
from shared.ports.clock import Clock
from shared.ports.registry import Registry
from shared.registry import tables

REMEMBER_MS = 10 * SECOND_MS


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
