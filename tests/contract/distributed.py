"""The distributed engine in the contract suite, on real servers."""

from __future__ import annotations

import os
from typing import Any

from shared.crypto.master import MasterKeys
from shared.engines.distributed import DistributedEngine, ensure_topics, open_engine
from shared.engines.distributed.clients import Clients, TopicPartition
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from tests.contract.features import Features
from tests.support import servers

FEATURES = Features(engine="distributed", takeover_s=20.0, visible_s=2.0, transactions_optional=True)


def unavailable() -> str:
    """Why the tests skip, or ""; in CI they do not skip, they fail."""
    reason = servers.unavailable()
    return "" if os.environ.get("CI", "").lower() == "true" else reason


def open_distributed(*, prefix: str, partitions: int, master: MasterKeys, clock: Clock, **guards: Any) -> Engine:
    """One handle; makes the topics when they are missing. `guards`: `transactions`, `at_point`."""
    bootstrap = servers.address(servers.KAFKA)
    ensure_topics(bootstrap, prefix=prefix, partitions=partitions, replication=1)
    return open_engine(
        bootstrap=bootstrap,
        view_redis_url=servers.address(servers.VIEW_REDIS),
        registry_redis_url=servers.address(servers.REGISTRY_REDIS),
        partitions=partitions,
        replication=1,
        prefix=prefix,
        master=master,
        clock=clock,
        **guards,
    )


def expire(engine: Engine, topic: str, partition: int, before: int) -> None:
    """What retention would do to offsets below `before`."""
    assert isinstance(engine, DistributedEngine)
    clients = Clients(engine.bootstrap, engine.prefix)
    admin = clients.admin()
    try:
        admin.delete_records({TopicPartition(clients.topic(topic), partition): before})  # type: ignore[attr-defined]
    finally:
        admin.close()
