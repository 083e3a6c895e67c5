"""The faults of the road: which notifications are lost, doubled or held back follows from the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from simulator.world import ManualClock, Policy, Post, World

NOWHERE = "http://127.0.0.1:1/hooks"
POLICY = Policy("microsoft", 1.0, 1.0, (10.0,), retry=lambda _: False)
SENT = 40


@contextmanager
def a_world(seed: int, **faults: Any) -> Iterator[World]:
    world = World(seed, ManualClock())
    world.faults.put(faults)
    yield world
    world.delivery.stop()


def fate(seed: int, **faults: Any) -> tuple[list[str], int]:
    """The subjects that were lost, and how many attempts are planned for later."""
    with a_world(seed, **faults) as world:
        for nth in range(SENT):
            world.delivery.send(Post(POLICY, NOWHERE, {}, b"", f"n{nth}"))
        lost = [one["subject"] for one in world.delivery.log if one["outcome"] == "dropped"]
        world.set_clock(world.now_ms() + 60_000)
        return lost, world.run_due()


def test_same_seed_loses_the_same_notifications() -> None:
    lost, _ = fate(1, dropShare=0.5)
    assert 5 < len(lost) < SENT - 5
    assert fate(1, dropShare=0.5)[0] == lost
    assert fate(2, dropShare=0.5)[0] != lost


@pytest.mark.parametrize(
    ("faults", "planned"),
    [
        ({}, 0),
        ({"reorderShare": 1.0}, SENT),
        ({"pushDelayMs": [100, 200]}, SENT),
        ({"pushDelayMs": [100, 200], "duplicateShare": 1.0}, 2 * SENT),
        ({"pushOff": True, "duplicateShare": 1.0}, 0),
        ({"reorderShare": {"google": 1.0}}, 0),
    ],
)
def test_held_back_and_doubled_notifications_wait_on_the_worlds_clock(faults: dict[str, Any], planned: int) -> None:
    assert fate(1, **faults)[1] == planned


def test_room_delays_follow_the_switch_unless_the_room_has_its_own(town: Any) -> None:
    town.world.faults.put({"roomDelayMs": [2_000, 2_000]})
    usual, quick = town.room("aare"), town.room("birs", delay_ms=(100, 100))
    town.book(usual, quick)
    began_ms = town.world.now_ms()
    town.wait()
    waited = {fact["room"]: fact["atMs"] - began_ms for fact in town.facts("room-answered")}
    assert waited == {usual.id: 2_000, quick.id: 100}
