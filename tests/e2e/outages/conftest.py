"""One cluster of three brokers, two Redis servers and the whole system on them, once per session; nobody else uses them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo.processes import start_system
from deploy.local.kafka import brokers
from deploy.local.processes import ServerError
from deploy.local.redis import RedisUse, redis_server
from shared.crypto.master import new_key
from tests.chaos.organisations import Simulator
from tests.e2e.outages.system import PARTITIONS, Servers, System
from tests.integration.services.webhook_receiver.receiver import Deployment
from tests.support import servers
from tests.support.refused_sockets import refused_sockets

NEVER_S = "3600"
"""No mailbox is looked at unasked: what is told after an outage is told because of a repeated push or of the gap signal."""


@pytest.fixture(scope="session")
def three_brokers_and_stores() -> Iterator[Servers]:
    """`min.insync.replicas` is 2, a dead broker is missed after 3 s."""
    with contextlib.ExitStack() as stack:
        try:
            view = stack.enter_context(redis_server(RedisUse.VIEWS))
            registry = stack.enter_context(redis_server(RedisUse.REGISTRY))
            kafka = stack.enter_context(brokers(3))
        except ServerError as error:
            servers.require(str(error))
            raise
        yield Servers(kafka, view, registry)


@pytest.fixture(scope="session")
def system(three_brokers_and_stores: Servers) -> Iterator[System]:
    """Running; at the very end it must not have told anything twice."""
    overrides = {
        "ROOMSYNC_MASTER_KEY": new_key(),
        "ROOMSYNC_PARTITIONS": str(PARTITIONS),
        "ROOMSYNC_PROMPT_GRACE_S": "0",
        "ROOMSYNC_RECONCILE_S": NEVER_S,
        "ROOMSYNC_PENDING_SILENT_S": NEVER_S,
    }
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(
            start_system(engine="kafka", seed=1, servers=three_brokers_and_stores.settings, overrides=overrides)
        )
        simulator = stack.enter_context(contextlib.closing(Simulator(stage.simulator)))
        ours = {name: value for name, value in stage.environ.items() if name.startswith("ROOMSYNC_")}
        deployment = Deployment(Path(ours["ROOMSYNC_HOME"]), ours["ROOMSYNC_MASTER_KEY"], ours)
        running = System(stage, three_brokers_and_stores, simulator, deployment)
        for person in running.people:
            stack.callback(person.close)
        yield running
        assert running.nothing_twice()


@pytest.fixture(autouse=True)
def _sockets_of_failed_connections() -> Iterator[None]:
    with refused_sockets():
        yield
