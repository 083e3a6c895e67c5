"""What happens when in a round: a pure function of the seed. People act, and things break."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.troupe import PORTAL, RECEIVER, STATUS, SYNC

SPAN_S = 10.0
BOOKINGS, MOVES, CANCELS, DECISIONS, TAKES = 20, 8, 3, 8, 2
LAST_BOOKINGS = 8
KILLS, FREEZES, CRASHES, ROADS = 4, 3, 3, 2
SHORTEST_FREEZE_S, LONGEST_FREEZE_S = 1.0, 4.0

POINTS = (
    (RECEIVER, "receiver-appended"),
    (SYNC, "sync-worker.before-commit"),
    (SYNC, "sync-worker.after-commit"),
    (SYNC, "sync-worker.room-swapped"),
    (STATUS, "room-status.before-commit"),
    (STATUS, "room-status.after-commit"),
)
SERVICES = (RECEIVER, SYNC, SYNC, STATUS, STATUS, PORTAL)
HARMLESS: Sequence[dict[str, Any]] = (
    {"duplicateShare": 0.4},
    {"reorderShare": 0.4},
    {"pushDelayMs": [0, 800]},
    {"latencyMs": [100, 900]},
    {"emptyPageShare": 0.4},
    {"cursorExpired": True},
    {"errorShare": 0.15},
)
SLOW = {"latencyMs": [20, 250]}
"""Always on in a round: as far away as a provider is, so that looks are in flight when something dies."""
FAR = {"latencyMs": [200, 700]}
"""At the end of a round: whoever dies dies in the middle of looks."""
LOSSY: Sequence[dict[str, Any]] = ({"dropShare": 0.5}, {"pushOff": True})
"""Switches that only reconciliation can make up for."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something to do, `at_s` seconds into the round. `dice` decides the rest."""

    at_s: float
    kind: str
    service: str = field(default="", compare=False)
    point: str = field(default="", compare=False)
    seconds: float = field(default=0.0, compare=False)
    switches: dict[str, Any] = field(default_factory=dict, compare=False)
    dice: float = field(default=0.0, compare=False)


def round_of(dice: random.Random, *, lossy: bool, servers: bool) -> list[Event]:
    """
    One round, in order.

    Args:
        lossy: Pushes may get lost.
        servers: There are servers of our own to break: a broker and the view's Redis.
    """
    events = [
        Event(_at(dice), kind, dice=dice.random())
        for kind, count in (
            ("book", BOOKINGS), ("move", MOVES), ("cancel", CANCELS), ("decide", DECISIONS), ("take", TAKES),
        )
        for _ in range(count)
    ]  # fmt: skip
    events += [Event(_at(dice), "kill", dice.choice(SERVICES), dice=dice.random()) for _ in range(KILLS)]
    events += [
        Event(_at(dice), "freeze", dice.choice(SERVICES), seconds=_pause(dice), dice=dice.random())
        for _ in range(FREEZES)
    ]
    for _ in range(CRASHES):
        service, point = dice.choice(POINTS)
        nth = 1 if point.endswith("swapped") else dice.randint(1, 4)
        events.append(Event(_at(dice), "crash", service, f"{point}:{nth}", dice=dice.random()))
    switches = [*HARMLESS, *LOSSY] if lossy else HARMLESS
    events += [Event(_at(dice), "road", switches=dice.choice(switches)) for _ in range(ROADS)]
    if lossy:
        events.append(Event(_at(dice), "road", switches=dice.choice(LOSSY)))
    if servers:
        events.append(Event(_at(dice), dice.choice(("freeze-view", "kill-view")), seconds=_pause(dice)))
        events.append(Event(_at(dice), dice.choice(("freeze-broker", "kill-broker")), seconds=_pause(dice)))
    return sorted([*events, *_finale(dice)])


def _finale(dice: random.Random) -> list[Event]:
    """
    At the end, bookings on whose heels both workers of a kind die.

    Earlier in a round the next change of the same mailbox would make up for whatever was lost; nothing comes after this.
    """
    events = [Event(SPAN_S + dice.uniform(0.0, 0.6), "book", dice=dice.random()) for _ in range(LAST_BOOKINGS)]
    events.append(Event(SPAN_S - 0.1, "road", switches=FAR))
    for service in (SYNC, dice.choice((SYNC, STATUS, RECEIVER))):
        at_s = SPAN_S + dice.uniform(0.8, 1.8)
        events += [Event(at_s, "kill", service, dice=half) for half in (0.25, 0.75)]
    return events


def _at(dice: random.Random) -> float:
    return dice.uniform(0.0, SPAN_S)


def _pause(dice: random.Random) -> float:
    return dice.uniform(SHORTEST_FREEZE_S, LONGEST_FREEZE_S)
