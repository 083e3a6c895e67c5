"""A small world that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.world import Invitee, ManualClock, Meeting, MeetingDraft, Recurrence, Room, RoomRules, User, World

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass
class Town:
    """A world with one organisation and two people."""

    world: World
    tenant: str
    ann: User
    bob: User

    def room(self, name: str = "aare", *, capacity: int = 6, building: str = "Riverside", **rules: Any) -> Room:
        return self.world.directory.add_room(
            self.tenant,
            name.title(),
            f"{name}@rooms.test",
            capacity=capacity,
            building=building,
            rules=RoomRules(**rules),
        )

    def book(
        self, *invited: Room | User, who: User | None = None, start_ms: int = DAY_MS, hours: float = 1, times: int = 0
    ) -> Meeting:
        """`start_ms` from now; `times` makes a daily series."""
        begins = NOW_MS + start_ms
        draft = MeetingDraft(
            "T",
            begins,
            begins + int(hours * HOUR_MS),
            [Invitee(one.address) for one in invited],
            recurrence=Recurrence("daily", times) if times else None,
        )
        return self.world.bookings.create((who or self.ann).id, draft)

    def wait(self, ms: int = 5_000) -> None:
        """Let time pass in small steps, so that everything happens at its own moment."""
        for _ in range(0, ms, 100):
            self.world.set_clock(self.world.now_ms() + 100)
            self.world.run_due()

    def facts(self, *kinds: str) -> list[dict[str, Any]]:
        return [fact.as_dict() for fact in self.world.history.facts if not kinds or fact.kind in kinds]


def a_town(provider: Any = "microsoft", seed: int = 7) -> Town:
    world = World(seed, ManualClock(NOW_MS))
    tenant = world.directory.add_tenant(provider, "C", "c.test")
    ann = world.directory.add_user(tenant.id, "Ann", "ann@c.test")
    return Town(world, tenant.id, ann, world.directory.add_user(tenant.id, "Bob", "bob@c.test"))


@pytest.fixture
def build() -> Callable[..., Town]:
    return a_town


@pytest.fixture
def town() -> Town:
    return a_town()
