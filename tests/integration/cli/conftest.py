"""An office whose log can be poisoned, and the operator's commands on that office's own files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import roomsync
from tests.support.spoilt_log import Poisoned


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


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
    for name in list(os.environ):
        if name.startswith("ROOMSYNC_"):
            monkeypatch.delenv(name)
    for name, value in office.environ().items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Ran:
        office.tell_clock()
        result = CliRunner().invoke(roomsync, arguments, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return Ran(result.return_value or 0, result.stdout)

    return run
