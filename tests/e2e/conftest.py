"""The running system: simulator and services as processes, on both engines. Imports nothing of services or shared."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.support.servers import settings

ENGINES = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]

WHOLE = os.environ.get("ROOMSYNC_JOURNEYS") == "whole"
"""`make chaos`: every journey at each provider on each engine."""
PAIRS = {
    "test_nothing_is_kept": {("microsoft", "embedded"), ("google", "kafka")},
    "test_own_calendar": {("microsoft", "embedded"), ("google", "kafka")},
    "test_whole_journey": {("microsoft", "kafka"), ("google", "embedded")},
}
"""
Of the longest journeys, at which provider each engine is used, otherwise: each provider and each engine once a journey.

What differs between providers does not know the engine. Each of the four pairs plays `test_journey`, and one of these.
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the pairs that are for the long run."""
    left_out = [] if WHOLE else [item for item in items if not _is_played(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_played(item: pytest.Item) -> bool:
    given = getattr(item, "callspec", None)
    pairs = PAIRS.get(item.path.stem)
    return given is None or pairs is None or any({*pair} <= {*given.params.values()} for pair in pairs)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which engine the services run on."""
    return str(request.param)


@pytest.fixture
def servers(engine: str, request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Settings of real servers, with topics and keys of this test's own."""
    if engine == "embedded":
        return {}
    return settings(f"e2e-{abs(hash(request.node.nodeid)) % 10**8}.")
