"""Runs the command line in the test's own process, under settings of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import roomsync


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str = ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


def run_roomsync(*arguments: str) -> Ran:
    """Run `roomsync` with these arguments. Raises what the command raises."""
    result = CliRunner().invoke(roomsync, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return Ran(result.return_value or 0, result.stdout, result.stderr)


def set_alone(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    """Put these settings into the environment, and no other of ours."""
    for name in list(os.environ):
        if name.startswith("ROOMSYNC_"):
            monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
