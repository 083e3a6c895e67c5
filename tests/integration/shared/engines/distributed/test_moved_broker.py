"""All brokers that a client knows are gone for good, and the configured addresses lead to others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.kafka import Brokers, brokers
from deploy.local.processes import HOST, ServerError, free_ports
from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION
from shared.engines.distributed import DistributedEngine, ensure_topics
from shared.errors import LogUnavailableError
from shared.ports.log import NewRecord
from tests.integration.shared.engines.distributed.conftest import OpenedOn, eventually
from tests.support import servers

# The client leaves the sockets of refused connections to the garbage collector.
pytestmark = [pytest.mark.kafka, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PARTITIONS = 2


@pytest.mark.proves("D4")
def test_clients_find_a_broker_that_comes_back_at_another_of_the_configured_addresses(
    tmp_path: Path, opened_on: OpenedOn
) -> None:
    try:
        cluster = brokers(1, tmp_path)
        running = cluster.__enter__()
    except ServerError as error:
        servers.require(str(error))
        raise
    try:
        (elsewhere,) = free_ports(1)
        ensure_topics(running.bootstrap, partitions=PARTITIONS, replication=1)
        engine = opened_on(f"{running.bootstrap},{HOST}:{elsewhere}", PARTITIONS, replication=1)
        membership = engine.log.join(ROOM_STATUS_STATION)
        asks = used(engine)
        eventually(lambda: all(answers(ask) for ask in asks.values()))
        eventually(lambda: membership.assignment() == frozenset(range(PARTITIONS)))

        move(running, tmp_path, elsewhere)

        eventually(lambda: not [name for name, ask in asks.items() if not answers(ask)], within_s=60)
        newcomer = opened_on(f"{HOST}:{elsewhere}", PARTITIONS, replication=1).log.join(ROOM_STATUS_STATION)
        eventually(lambda: len(membership.assignment()) == len(newcomer.assignment()) == 1, within_s=60)
    finally:
        cluster.__exit__(None, None, None)


def used(engine: DistributedEngine) -> dict[str, Callable[[], object]]:
    """One use of each of the clients that live as long as their process."""
    return {
        "producer": lambda: engine.log.append([NewRecord(OBSERVATIONS.name, 0, b"mailbox", b"hint")]),
        "probe": engine.log.probe,
        "admin": lambda: engine.log.topic_id(OBSERVATIONS.name),
        "reader": lambda: engine.log.read(OBSERVATIONS.name, 0, 0),
    }


def answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except LogUnavailableError:
        return False
    return True


def move(running: Brokers, directory: Path, port: int) -> None:
    """End the broker and start it at another port, with the same data."""
    running.stop()
    file = directory / "node-1" / "server.properties"
    file.write_text(file.read_text().replace(running.bootstrap, f"{HOST}:{port}"))
    running.start()
