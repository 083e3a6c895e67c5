"""What happens when in a round: a pure function of the seed. People act, and things break."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.service_processes import PORTAL, RECEIVER, STATUS, SYNC

BOOKINGS, MOVES, CANCELS, DECISIONS, TAKES = 20, 8, 3, 8, 2
SERIES_DECISIONS, SERIES_TAKES = 5, 4
LAST_BOOKINGS = 8
KILLS, FREEZES, CRASHES, ROADS = 4, 3, 3, 2
BURSTS, BURST_ITEMS = 3, 1150
"""Notifications beside those that changes cause; six rounds of it make the twenty thousand of CI."""
ANSWERS_OUTLIVED, COMPARISONS = 2, 3
SHORTEST_FREEZE_S, LONGEST_FREEZE_S = 1.0, 4.0
PROVIDERS = ("microsoft", "google")

POINTS = (
    (RECEIVER, "receiver-appending"),
    (RECEIVER, "receiver-appended"),
    (SYNC, "sync-worker.before-commit"),
    (SYNC, "sync-worker.decided"),
    (SYNC, "sync-worker.stated"),
    (SYNC, "sync-worker.after-commit"),
    (SYNC, "sync-worker.room-swapping"),
    (SYNC, "sync-worker.room-swapped"),
    (STATUS, "room-status.before-commit"),
    (STATUS, "room-status.telling"),
    (STATUS, "room-status.decided"),
    (STATUS, "room-status.stated"),
    (STATUS, "room-status.after-commit"),
    (STATUS, "room-status.projected"),
    (PORTAL, "portal.take-recorded"),
    (PORTAL, "portal.take-sent"),
)
SERIES_POINTS = ("sync-worker.series-swapping", "sync-worker.series-swapped", "sync-worker.date-apart-swapped")
"""One of them in every round, for both workers: whichever takes a series dies there."""
RARE = ("swapping", "swapped", "recorded", "sent")
"""Passed once or twice in a round: to be armed with their first passing."""
ZOMBIES = {
    SYNC: ("before-commit", "before-commit", "decided", "stated"),
    STATUS: ("telling", "telling", "decided", "stated"),
}
"""Where a worker stands still until another has taken over: before a commit (with a decision in hand), and twice inside one."""
SERVICES = (RECEIVER, SYNC, SYNC, STATUS, STATUS, PORTAL)
SERVERS = ("view", "broker", "registry")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What sort of round it is."""

    lossy: bool = False
    """Pushes may get lost."""
    servers: bool = False
    """There are servers of our own to break."""
    fenced: bool = True
    """Nothing fences without transactions: then only deaths, and one owner at a time. Declared in ADR 8."""
    words: bool = False
    """It ends with one last word to each mailbox; else with bookings."""

    @property
    def span_s(self) -> float:
        """How long things happen. A group of Kafka's takes six seconds to miss a member."""
        return 14.0 if self.servers else 10.0

    @property
    def zombie_s(self) -> tuple[float, float]:
        """How long a zombie stands still: longer than a lease, or than a member is missed after."""
        return (6.5, 9.0) if self.servers else (2.2, 4.0)


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


def round_of(dice: random.Random, kind: Kind) -> list[Event]:
    """One round, in order, without its end."""
    acts = {"book": BOOKINGS, "move": MOVES, "cancel": CANCELS, "decide": DECISIONS, "take": TAKES}
    acts |= {"decide-series": SERIES_DECISIONS, "take-series": SERIES_TAKES}
    acts |= {"burst": BURSTS, "outlive-answer": ANSWERS_OUTLIVED, "compare": COMPARISONS if kind.fenced else 0}
    events = [Event(_at(dice, kind), name, dice=dice.random()) for name, count in acts.items() for _ in range(count)]
    events += _faults(dice, kind)
    switches = [*HARMLESS, *LOSSY] if kind.lossy else HARMLESS
    events += [Event(_at(dice, kind), "road", switches=dice.choice(switches)) for _ in range(ROADS)]
    if kind.lossy:
        events.append(Event(_at(dice, kind), "road", switches=dice.choice(LOSSY)))
    return sorted(events)


def haunting(dice: random.Random, kind: Kind) -> list[Event]:
    """
    A beginning, on servers: while nothing else dies, an owner freezes with a decline in its hands until another owns its partition.

    A group there takes so long to miss a member that in the middle of a round few owners live long enough to be feared.
    """
    settled_s = kind.zombie_s[0] + 2.0
    return [
        Event(0.0, "zombie", STATUS, f"{STATUS}.telling:1", dice.uniform(*kind.zombie_s), dice=dice.random()),
        *(Event(settled_s + dice.uniform(0.0, 1.0), "book", dice=dice.random()) for _ in range(LAST_BOOKINGS)),
    ]


def last_bookings(dice: random.Random) -> list[Event]:
    """
    An end: bookings on whose heels both workers of a kind die.

    Earlier in a round the next change of the same mailbox would make up for whatever was lost; nothing comes after this.
    """
    events = [Event(dice.uniform(0.1, 0.7), "book", dice=dice.random()) for _ in range(LAST_BOOKINGS)]
    events.append(Event(0.0, "road", switches=FAR))
    for service in (SYNC, dice.choice((SYNC, STATUS, RECEIVER))):
        at_s = dice.uniform(0.9, 1.9)
        events += [Event(at_s, "kill", service, dice=half) for half in (0.25, 0.75)]
    return sorted(events)


def last_words(dice: random.Random) -> list[Event]:
    """
    Another end: each mailbox is told one last thing, one provider is slow, and the workers die in the middle of its looks.

    By then the other provider's looks are done, and what they committed must not have forgotten the slow ones.
    """
    slow, fast = dice.sample(PROVIDERS, 2)
    died_s = dice.uniform(0.8, 1.3)
    return [
        Event(0.0, "road", switches={"latencyMs": {slow: [1500, 2000], fast: [0, 30]}}),
        Event(0.1, "word", service=slow),
        Event(0.1 + dice.uniform(0.15, 0.3), "word", service=fast),
        *(Event(died_s, "kill", SYNC, dice=half) for half in (0.25, 0.75)),
    ]


def _faults(dice: random.Random, kind: Kind) -> list[Event]:
    services = [each for each in SERVICES if kind.fenced or each in {SYNC, STATUS}]
    events = [Event(_at(dice, kind), "kill", dice.choice(services), dice=dice.random()) for _ in range(KILLS)]
    points = [each for each in POINTS if kind.fenced or each[0] in {SYNC, STATUS}]
    for service, point in dice.sample(points, CRASHES):
        nth = 1 if point.endswith(RARE) else dice.randint(1, 4)
        events.append(Event(_at(dice, kind), "crash", service, f"{point}:{nth}", dice=dice.random()))
    point = dice.choices(SERIES_POINTS, (1, 2, 1))[0]
    events += [Event(dice.uniform(0.5, 2.5), "crash", SYNC, f"{point}:1", dice=half) for half in (0.25, 0.75)]
    if kind.fenced:
        events += [
            Event(_at(dice, kind), "freeze", dice.choice(services), seconds=_pause(dice), dice=dice.random())
            for _ in range(FREEZES)
        ]
        events += [_zombie(dice, kind, service) for service in (SYNC, STATUS)]
    if kind.servers:
        chosen = SERVERS if kind.fenced else SERVERS[:1]
        events += [
            Event(_at(dice, kind), dice.choice(("freeze-", "kill-")) + name, seconds=_pause(dice)) for name in chosen
        ]
    return events


def _zombie(dice: random.Random, kind: Kind, service: str) -> Event:
    """A worker that stands still at a point until another owns its partition, and then goes on there."""
    point = dice.choice(ZOMBIES[service])
    seconds = dice.uniform(*kind.zombie_s)
    if not kind.servers and point in {"decided", "stated"}:
        seconds = dice.uniform(0.5, 1.5)  # inside a commit it holds the only file: nobody can take over, all wait
    return Event(0.0, "zombie", service, f"{service}.{point}:{dice.randint(1, 3)}", seconds, dice=dice.random())


def _at(dice: random.Random, kind: Kind) -> float:
    return dice.uniform(0.0, kind.span_s)


def _pause(dice: random.Random) -> float:
    return dice.uniform(SHORTEST_FREEZE_S, LONGEST_FREEZE_S)
