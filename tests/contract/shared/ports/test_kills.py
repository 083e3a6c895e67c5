"""Kill -9 at random instants: what was acknowledged is there, once, and the next process goes on from it."""

from __future__ import annotations

import random
import time
from typing import Any

from shared.contracts.topics import COMMANDS, OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.ports.engine import Engine
from tests.contract.child import COUNTER
from tests.contract.children import Child
from tests.contract.deployments import Deployment
from tests.contract.shared.ports.test_log import everything

KILLS = 24
LONGEST_LIFE = 9
"""Acknowledgements, before the one that the kill comes into."""


def killed_at_some_instant(worker: Child, chance: random.Random) -> list[dict[str, Any]]:
    """Hear a few acknowledgements, then kill somewhere within the time that the next may take; returns all it said."""
    said, longest_s = [], 0.005
    for _ in range(chance.randrange(LONGEST_LIFE)):
        begin_s = time.monotonic()
        said.append(worker.heard())
        longest_s = max(longest_s, time.monotonic() - begin_s)
    time.sleep(chance.random() * longest_s)  # the instant is what is left to chance: nothing is waited for
    worker.kill()
    return said + worker.rest()


def test_killed_at_any_instant_nothing_acknowledged_is_lost_and_nothing_committed_is_doubled(
    engine: Engine, deployment: Deployment, partition: int
) -> None:
    chance = random.Random(20261120)
    appended: list[str] = []
    committed = 0
    for life in range(KILLS):
        with Child(deployment, "work", partition, life) as worker:
            restored = worker.heard()
            assert committed <= restored["restored"] <= committed + 1, "at most the commit it died in is unknown"
            assert restored["position"] == restored["restored"], "state and position are of one commit"
            assert restored["tail"] == 0, "a decision never stands without its state"
            said = killed_at_some_instant(worker, chance)
        appended += [line["appended"] for line in said if "appended" in line]
        committed = max([restored["restored"], *(line["committed"] for line in said if "committed" in line)])

    last = engine.log.claim(ROOM_STATUS_STATION, partition)
    done = int(last.state[COUNTER])
    assert done in (committed, committed + 1)
    assert last.position == {OBSERVATIONS.name: done}
    decisions = [record.value for record in everything(engine, partition, topic=ROOM_REJECTIONS.name)]
    assert decisions == [str(number).encode() for number in range(1, done + 1)]
    wishes = [record.value.decode() for record in everything(engine, partition, topic=COMMANDS.name) if record.value]
    assert len(wishes) == len(set(wishes))
    assert [wish for wish in wishes if wish in set(appended)] == appended
    assert len(wishes) <= len(appended) + KILLS, "at most one append per life was not acknowledged"
    assert committed > KILLS, "the workers did get to work"
