"""How the rooms of an organisation are doing, as people who choose one are told: counted now and then, not with each request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from flask import Flask, current_app

from services.portal.deps import Deps
from services.portal.meetings.answer_history import memories
from services.portal.meetings.deciding.health import Health, health_of
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.errors import KeyDestroyedError, StoreUnavailableError

KEPT_MS = 5 * MINUTE_MS
MAX_TENANTS = 64
"""Organisations whose rooms are kept in mind: ids and counts, no content."""
_EXTENSION = "room-habits"
_Known = tuple[int, Mapping[str, Health]]


class RoomHabits:
    """
    Looks through an organisation's meetings at most once in five minutes, whoever asks. Thread-safe; one per process.

    Who asks while somebody looks is given what was known before: nobody waits for another request's reading.
    """

    def __init__(self, deps: Deps) -> None:
        """Know nothing yet."""
        self._deps = deps
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def of(self, tenant: str) -> Mapping[str, Health]:
        """Room id → its health; what was known before while the view cannot be reached: a choice without it is better than none."""
        now_ms = self._deps.clock.now_ms()
        with self._lock:
            at_ms, health = self._known.get(tenant, (0, {}))
            if now_ms - at_ms < KEPT_MS:
                return health
            self._keep(tenant, (now_ms, health))
        try:
            found = self._count(tenant, now_ms)
        except (StoreUnavailableError, KeyDestroyedError):
            return health
        with self._lock:
            self._keep(tenant, (now_ms, found))
        return found

    def _keep(self, tenant: str, known: _Known) -> None:
        self._known[tenant] = known
        self._known.move_to_end(tenant)
        while len(self._known) > MAX_TENANTS:
            self._known.popitem(last=False)

    def _count(self, tenant: str, now_ms: int) -> Mapping[str, Health]:
        silent_ms = int(self._deps.settings.pending_silent_s * SECOND_MS)
        return {
            room: health_of(records, None, now_ms=now_ms, silent_ms=silent_ms)
            for room, records in memories(self._deps, tenant).items()
        }


def register(app: Flask, deps: Deps) -> None:
    """Keep the habits of rooms for the requests of `app`."""
    app.extensions[_EXTENSION] = RoomHabits(deps)


def current_habits() -> RoomHabits:
    """Those of the application that answers the current request."""
    found: RoomHabits = current_app.extensions[_EXTENSION]
    return found
