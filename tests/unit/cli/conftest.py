"""The command line on an embedded deployment of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.crypto.master import new_key
from shared.ports.engine import Engine
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.support.commands import Run, run_roomsync, set_alone


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    ours = {"ROOMSYNC_HOME": str(tmp_path / "home"), "ROOMSYNC_MASTER_KEY": new_key()}
    set_alone(monkeypatch, ours)
    return ours


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    del environ
    return run_roomsync


@pytest.fixture
def engine(environ: dict[str, str]) -> Iterator[Engine]:
    engine = open_engine(load(environ))
    yield engine
    engine.close()
