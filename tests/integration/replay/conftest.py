"""A recorder on the embedded engine, whose time the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.crypto.master import new_key, parse
from shared.engines.embedded import EmbeddedEngine, open_engine
from tests.builders import NOW_MS
from tests.contract.deployments import ManualClock
from tests.integration.replay.recorder import Recorder

PARTITIONS = 2


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def engine(tmp_path: Path, clock: ManualClock) -> Iterator[EmbeddedEngine]:
    engine = open_engine(tmp_path / "home", partitions=PARTITIONS, prefix="", master=parse(new_key()), clock=clock)
    yield engine
    engine.close()


@pytest.fixture
def recorder(engine: EmbeddedEngine, clock: ManualClock) -> Recorder:
    """A day and a half of random changes, folded in batches of random size, with take-overs between them."""
    recorder = Recorder(engine, clock)
    recorder.claim()
    recorder.live(clock, turns=24)
    return recorder
