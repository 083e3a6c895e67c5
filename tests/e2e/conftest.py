"""The running system: simulator and services as processes, on both engines. Imports nothing of services or shared."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.servers import KAFKA, REGISTRY_REDIS, VIEW_REDIS, address

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
    prefix = f"e2e-{abs(hash(request.node.nodeid)) % 10**8}."
    return {
        "ROOMSYNC_KAFKA_BOOTSTRAP": address(KAFKA),
        "ROOMSYNC_VIEW_REDIS_URL": address(VIEW_REDIS),
        "ROOMSYNC_REGISTRY_REDIS_URL": address(REGISTRY_REDIS),
        "ROOMSYNC_KAFKA_REPLICATION": "1",
        "ROOMSYNC_TOPIC_PREFIX": prefix,
    }
