"""How the rooms of an organisation are doing, as people who choose one are told: counted now and then, not with each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask, current_app

from services.portal.deps import Deps
from services.portal.frame.recent_counts import RecentCounts
from services.portal.meetings.answer_history import memories
from services.portal.meetings.deciding.health import Health, health_of
from services.portal.meetings.room_tallies import read_room_tallies
from shared.contracts.room_tally import RoomTally
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.errors import KeyDestroyedError, StoreUnavailableError

KEPT_MS = 5 * MINUTE_MS
_EXTENSION = "room-habits"


@dataclass(frozen=True, slots=True)
class Habits:
    """How an organisation's rooms are doing, by room id."""

    health: Mapping[str, Health] = field(default_factory=dict)
    tallies: Mapping[str, RoomTally] = field(default_factory=dict)
    """How they answered, by what they were asked."""


class RoomHabits:
    """
    Looks through an organisation's meetings at most once in five minutes, whoever asks. Thread-safe; one per process.

    Who asks while somebody looks is given what was known before: nobody waits for another request's reading.
    """

    def __init__(self, deps: Deps) -> None:
        """Know nothing yet."""
        self._deps = deps
        self._counts = RecentCounts(deps.clock, self._count, kept_ms=KEPT_MS, before=Habits())

    def of(self, tenant: str) -> Habits:
        """Count, or what was known before while the view cannot be reached: a choice without it is better than none."""
        return self._counts.of(tenant)

    def _count(self, tenant: str, before: Habits | None) -> Habits:
        engine, now_ms = self._deps.engine, self._deps.clock.now_ms()
        silent_ms = int(self._deps.settings.pending_silent_s * SECOND_MS)
        try:
            health = {
                room: health_of(records, None, now_ms=now_ms, silent_ms=silent_ms)
                for room, records in memories(self._deps, tenant).items()
            }
            return Habits(health, read_room_tallies(engine.view, engine.keyring.keys(tenant)))
        except (StoreUnavailableError, KeyDestroyedError):
            return before or Habits()


def register(app: Flask, deps: Deps) -> None:
    """Keep the habits of rooms for the requests of `app`."""
    app.extensions[_EXTENSION] = RoomHabits(deps)


def current_habits() -> RoomHabits:
    """Those of the application that answers the current request."""
    found: RoomHabits = current_app.extensions[_EXTENSION]
    return found
