"""A Redis client that fails fast and never sends a command twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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
    """
    client: redis.Redis = redis.Redis.from_url(
        url, socket_connect_timeout=CONNECT_S, socket_timeout=answer_s, retry=Retry(NoBackoff(), 0)
    )
    return client


@contextlib.contextmanager
def translate_errors(store: str) -> Iterator[None]:
    """Turn the client's errors into StoreUnavailableError."""
    try:
        yield
    except redis.RedisError as error:
        message = f"the {store} cannot be reached or refuses ({error}); look at its Redis server"
        raise StoreUnavailableError(message) from error
