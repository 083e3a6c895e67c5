"""A recorder on the embedded engine, whose time the test moves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cli.main
from cli.demo.processes import simulator_environ
from shared.crypto.master import new_key, parse
from shared.engines.embedded import EmbeddedEngine, open_engine
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying.recorder import Recorder
from tests.support.builders import NOW_MS

PARTITIONS = 2
MASTER = new_key()

Roomsync = Callable[..., tuple[int, str]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def engine(tmp_path: Path, clock: ManualClock) -> Iterator[EmbeddedEngine]:
    engine = open_engine(tmp_path / "home", partitions=PARTITIONS, prefix="", master=parse(MASTER), clock=clock)
    yield engine
    engine.close()


@pytest.fixture
def recorder(engine: EmbeddedEngine, clock: ManualClock) -> Recorder:
    """A day and a half of random changes, folded in batches of random size, with take-overs between them."""
    recorder = Recorder(engine, clock)
    recorder.claim()
    recorder.live(clock, turns=24)
    return recorder


@pytest.fixture
def roomsync(engine: EmbeddedEngine, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Roomsync:
    """Runs a command on the recorder's deployment, at its time; gives exit code and output."""
    engine.log.probe()  # a deployment stands there, if an empty one
    for name in list(os.environ):
        if name.startswith("ROOMSYNC_"):
            monkeypatch.delenv(name)
    time = tmp_path / "clock"
    settings = {"HOME": tmp_path / "home", "PARTITIONS": PARTITIONS, "MASTER_KEY": MASTER, "TEST_CLOCK": time}
    nowhere = simulator_environ("http://127.0.0.1:1")  # a clock of the test's own is for loopback only
    for name, value in (nowhere | {f"ROOMSYNC_{name}": str(value) for name, value in settings.items()}).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str]:
        time.write_text(str(clock.now_ms()))
        result = CliRunner().invoke(cli.main.roomsync, arguments, standalone_mode=False)
        if isinstance(result.exception, click.ClickException):
            return result.exception.exit_code, result.exception.format_message()
        if result.exception is not None:
            raise result.exception
        return result.return_value or 0, result.stdout

    return run
