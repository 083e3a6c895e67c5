"""Recorded shapes of both providers, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.paths import SAMPLES

Read = Callable[[str], Any]


@pytest.fixture
def graph_bytes() -> Callable[[str], bytes]:
    return lambda name: (SAMPLES / "graph" / f"{name}.json").read_bytes()


@pytest.fixture
def graph() -> Read:
    return lambda name: json.loads((SAMPLES / "graph" / f"{name}.json").read_text())


@pytest.fixture
def google() -> Read:
    return lambda name: json.loads((SAMPLES / "google" / f"{name}.json").read_text())
