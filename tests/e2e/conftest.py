"""The running system: simulator and services as processes, on both engines. Imports nothing of services or shared."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.servers import settings

ENGINES = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]


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
