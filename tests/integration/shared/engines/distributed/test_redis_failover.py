"""A Redis server is demoted and keeps its connections: writes go to the new primary as soon as the address leads there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from deploy.local.processes import HOST
from deploy.local.redis import RedisServer, RedisUse, redis_server
from shared.engines.distributed.registry import RedisRegistry
from shared.engines.distributed.view import RedisView
from shared.errors import StoreUnavailableError
from shared.ports.view import Applied, Row
from shared.runtime.clock import SystemClock

pytestmark = pytest.mark.kafka


class Address:
    """A name that leads to one server and later to another; connections that stand stay where they are."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        self._listener = socket.create_server((HOST, 0))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self._listener.getsockname()[1]}/0"

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection((HOST, self.leads_to))
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            each.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def pair() -> Iterator[tuple[RedisServer, RedisServer]]:
    with redis_server(RedisUse.REGISTRY) as first, redis_server(RedisUse.REGISTRY) as second:
        yield first, second


def fail_over(address: Address, first: RedisServer, second: RedisServer) -> None:
    port = int(second.url.rpartition(":")[2].partition("/")[0])
    with redis.Redis.from_url(first.url) as admin:
        admin.execute_command("REPLICAOF", HOST, port)
    address.leads_to = port


@pytest.mark.parametrize("store", ["registry", "view"])
def test_all_but_the_first_write_after_a_demotion_go_through(pair: tuple[RedisServer, RedisServer], store: str) -> None:
    first, second = pair
    address = Address(int(first.url.rpartition(":")[2].partition("/")[0]))
    opened: Any = {"registry": RedisRegistry, "view": RedisView}[store](address.url, prefix="x.", clock=SystemClock())

    def write(number: int) -> None:
        if store == "registry":
            opened.put("users", "t", f"u{number}", b"row")
        else:
            opened.apply(number, Applied("id", 1), (Row("m-1", ("t/a",), b"one"),))

    with ThreadPoolExecutor(4) as threads:  # several connections stand at once
        list(threads.map(write, range(40)))
    fail_over(address, first, second)
    with pytest.raises(StoreUnavailableError, match="read only"):
        write(100)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(200, 240)))
    opened.close()
    address.close()
