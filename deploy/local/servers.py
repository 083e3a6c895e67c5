"""Everything the distributed engine needs, on this machine: one Kafka broker and two Redis instances, as settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.local.kafka import brokers
from deploy.local.redis import RedisUse, redis_server


@contextlib.contextmanager
def local_servers(count: int = 1, data: Path | None = None) -> Iterator[Mapping[str, str]]:
    """
    Start the servers on free loopback ports with fresh data; stop and forget them on the way out.

    Args:
        count: Brokers, one or three.
        data: Where brokers keep theirs; a directory of their own if none is given.

    Yields:
        The `ROOMSYNC_*` settings that point the product at them.
    """
    with contextlib.ExitStack() as stack:
        view = stack.enter_context(redis_server(RedisUse.VIEWS))
        registry = stack.enter_context(redis_server(RedisUse.REGISTRY))
        kafka = stack.enter_context(brokers(count, data))
        yield {
            "ROOMSYNC_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "ROOMSYNC_VIEW_REDIS_URL": view.url,
            "ROOMSYNC_REGISTRY_REDIS_URL": registry.url,
            "ROOMSYNC_KAFKA_REPLICATION": str(count),
        }
