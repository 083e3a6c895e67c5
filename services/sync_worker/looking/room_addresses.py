"""Which addresses are rooms, by the tenant's own list, remembered for a few seconds."""

from __future__ import annotations

from shared.domain.instants import SECOND_MS
from shared.ports.clock import Clock
from shared.ports.registry import Registry
from shared.registry import tables

REMEMBER_MS = 10 * SECOND_MS


class RoomIds:
    """Room ids per tenant. A room that was entered just now is known within ten seconds."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Nothing is read before it is asked for."""
        self._rooms = tables.rooms(registry)
        self._clock = clock
        self._known: dict[str, tuple[int, frozenset[str]]] = {}

    def of(self, tenant: str) -> frozenset[str]:
        """The ids of the tenant's rooms. Raises StoreUnavailableError."""
        now_ms = self._clock.now_ms()
        read_at_ms, rooms = self._known.get(tenant, (-REMEMBER_MS, frozenset[str]()))
        if abs(now_ms - read_at_ms) >= REMEMBER_MS:
            rooms = frozenset(room_id for room_id, _ in self._rooms.scan(tenant))
            self._known[tenant] = (now_ms, rooms)
        return rooms
