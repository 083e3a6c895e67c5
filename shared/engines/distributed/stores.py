"""A Redis client that fails fast, never sends a command twice, and leaves a server that takes no writes any more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.errors import StoreUnavailableError

CONNECT_S = 1.0
ANSWER_S = 5.0
"""Clearing a whole partition of a view is one command."""
COUNTED_S = 1.0
"""Counting a request is one small command; the request waits for it."""


def connect(url: str, *, answer_s: float = ANSWER_S) -> redis.Redis:
    """
    A client, shared by threads; connects when it is first used.

    No retries: a retried command can run twice, and a compare-and-set that did would report a conflict with itself.

    A primary that has become a replica keeps its connections and refuses every write on them (`READONLY`,
    redis.io/docs/latest/operate/oss_and_stack/management/replication). One such answer closes them all, so that the next command
    connects to whichever server the address leads to by then.
    """
    pool = _ConnectionPool.from_url(
        url, socket_connect_timeout=CONNECT_S, socket_timeout=answer_s, retry=Retry(NoBackoff(), 0)
    )
    pool.connection_class = type("StoreConnection", (_DemotionNotice, pool.connection_class), {})
    return redis.Redis.from_pool(pool)


class _DemotionNotice:
    """Of a connection: remembers that the server refused a write because it is a replica."""

    demoted = False

    def read_response(self, *args: Any, **options: Any) -> Any:
        """As the client's own; the answers of scripts and transactions come this way too."""
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]  # of the client's connection beside it
        except redis.ReadOnlyError:
            self.demoted = True
            raise


class _ConnectionPool(redis.ConnectionPool):
    """Closes the connections that wait in it once a command has met a replica."""

    def release(self, connection: Any) -> None:
        """Take a connection back after a command."""
        demoted, connection.demoted = connection.demoted, False
        super().release(connection)
        if demoted:
            self.disconnect(inuse_connections=False)


@contextlib.contextmanager
def translate_errors(store: str) -> Iterator[None]:
    """Turn the client's errors into StoreUnavailableError."""
    try:
        yield
    except redis.RedisError as error:
        message = f"the {store} cannot be reached or refuses ({error}); look at its Redis server"
        raise StoreUnavailableError(message) from error
