"""Ways to lose a view, and the chores around them, on any engine."""

from __future__ import annotations

import random
from collections.abc import Callable

from cli.rebuild import ViewComparison, compare_view
from shared.contracts.topics import MEETING_STATE
from shared.ports.view import Applied, Row, View
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying.recorder import Recorder

Loss = Callable[[Recorder], None]


def emptied(recorder: Recorder) -> None:
    """As FLUSHALL leaves it."""
    for partition in range(recorder.engine.log.partitions):
        recorder.engine.view.reset(partition)


def another_clusters(recorder: Recorder) -> None:
    """Rows and offsets of a topic that only had the same name."""
    view = recorder.engine.view
    for partition in range(recorder.engine.log.partitions):
        row = Row(f"t-stranger/m-{partition}", ("t-stranger/m-x",), b"not ours")
        view.reset(partition)
        view.apply(partition, Applied("another topic", 1_000_000), [row], whole=True)


def rebuilt_by_owners(recorder: Recorder, clock: ManualClock) -> ViewComparison:
    """Time enough passes for the owners to look, then the view is held against the topics."""
    clock.at_ms += 1_000
    recorder.step()
    return compare_view(recorder.engine, recorder.keys_of)


def an_hour_passes(recorder: Recorder, clock: ManualClock) -> None:
    """So that a copy of the view is an hour old."""
    recorder.observe(10)
    clock.at_ms += 3_600_000
    recorder.settle()


def some_rows(view: View, recorder: Recorder, chance: random.Random) -> list[Row]:
    """A tombstone for each of some rows."""
    owners = [f"{tenant}/{mailbox}" for tenant in recorder.tenants for mailbox in ("m-ada", "m-ben")]
    keys = sorted({row.key for owner in owners for row in view.rows(owner)})
    return [Row(key, (), None) for key in chance.sample(keys, min(3, len(keys)))]


def topic_id(recorder: Recorder) -> str:
    return recorder.engine.log.topic_id(MEETING_STATE.name)
