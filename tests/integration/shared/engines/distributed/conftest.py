"""Servers of one's own: a broker that others use must not be frozen."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import Brokers, brokers
from deploy.local.processes import ServerError
from deploy.local.redis import RedisServer, RedisUse, redis_server
from shared.crypto.master import MasterKeys, new_key, parse
from shared.engines.distributed import DistributedEngine, ensure_topics, open_engine
from shared.runtime.clock import SystemClock
from tests.support import servers
from tests.support.refused_sockets import refused_sockets

PARTITIONS = 12
NOWHERE = "redis://127.0.0.1:1/0"

Opened = Callable[..., DistributedEngine]
OpenedOn = Callable[..., DistributedEngine]


@pytest.fixture(autouse=True)
def _sockets_of_failed_connections() -> Iterator[None]:
    with refused_sockets():
        yield


@pytest.fixture(scope="session")
def own_brokers() -> Iterator[Brokers]:
    """One broker that only these tests use."""
    yield from _running(1)


@pytest.fixture
def view_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for views that may be killed."""
    servers.require(_redis_missing())
    with redis_server(RedisUse.VIEWS, tmp_path / "views") as server:
        yield server


@pytest.fixture
def registry_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for the registry that may be killed; its files are under `tmp_path / "registry"`."""
    servers.require(_redis_missing())
    with redis_server(RedisUse.REGISTRY, tmp_path / "registry") as server:
        yield server


@pytest.fixture(scope="session")
def master() -> MasterKeys:
    return parse(new_key())


@pytest.fixture(scope="session")
def _topics(own_brokers: Brokers) -> str:
    ensure_topics(own_brokers.bootstrap, prefix="own.", partitions=PARTITIONS, replication=1)
    return own_brokers.bootstrap


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def partition(_numbers: Iterator[int]) -> int:
    """One that no other test touches."""
    number = next(_numbers)
    assert number < PARTITIONS, "more tests than partitions: raise PARTITIONS"
    return number


@pytest.fixture
def opened_on(master: MasterKeys) -> Iterator[OpenedOn]:
    """Opens engines on any brokers; closed after the test."""
    with contextlib.ExitStack() as engines:

        def open_one(bootstrap: str, partitions: int = PARTITIONS, **settings: Any) -> DistributedEngine:
            engine = open_engine(
                bootstrap=bootstrap,
                view_redis_url=NOWHERE,
                registry_redis_url=NOWHERE,
                partitions=partitions,
                master=master,
                clock=SystemClock(),
                **settings,
            )
            engines.callback(engine.close)
            return engine

        yield open_one


@pytest.fixture
def opened(_topics: str, opened_on: OpenedOn) -> Opened:
    """Opens engines on the own broker."""

    def open_one(*, transactions: bool = True) -> DistributedEngine:
        return opened_on(_topics, replication=1, prefix="own.", transactions=transactions)

    return open_one


def eventually(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


def _running(count: int) -> Iterator[Brokers]:
    try:
        cluster = brokers(count)
        running = cluster.__enter__()
    except ServerError as error:
        servers.require(str(error))
        raise
    try:
        yield running
    finally:
        cluster.__exit__(None, None, None)


def _redis_missing() -> str:
    return "" if shutil.which("redis-server") else "redis-server is not on PATH"
