"""Embedded deployments of the test's own, and the clock they share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.crypto.master import new_key, parse
from shared.engines.embedded import open_engine
from shared.ports.engine import Engine
from tests.support.builders import NOW_MS

MASTER = parse(new_key())
OpenAt = Callable[[str], Engine]


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_at(tmp_path: Path, clock: Clock) -> Iterator[OpenAt]:
    """Opens a deployment by the name of its directory."""
    with contextlib.ExitStack() as opened:

        def open_one(name: str) -> Engine:
            engine = open_engine(tmp_path / name, partitions=2, prefix="", master=MASTER, clock=clock)
            opened.callback(engine.close)
            return engine

        yield open_one


@pytest.fixture
def engine(open_at: OpenAt) -> Engine:
    return open_at("home")
