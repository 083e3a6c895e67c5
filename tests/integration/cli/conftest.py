"""An office whose log can be poisoned, and the operator's commands on that office's own files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Ran, Run, run_roomsync, set_alone
from tests.support.spoilt_log import Poisoned


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Poisoned]:
    opened = Poisoned(tmp_path / "poisoned")
    yield opened
    opened.engine.close()


@pytest.fixture
def healthy(tmp_path: Path) -> Iterator[Poisoned]:
    opened = Poisoned(tmp_path / "healthy")
    yield opened
    opened.engine.close()


@pytest.fixture
def run(office: Poisoned, monkeypatch: pytest.MonkeyPatch) -> Run:
    set_alone(monkeypatch, office.environ())

    def run(*arguments: str) -> Ran:
        office.tell_clock()
        return run_roomsync(*arguments)

    return run
