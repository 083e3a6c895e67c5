"""Servers of the campaign's own, which it may break: a broker, the view's Redis and the registry's."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from deploy.local.kafka import Brokers, brokers
from deploy.local.redis import RedisServer, RedisUse, redis_server


class Servers:
    """What can be done to them, beside everything else: a broker takes seconds to come back."""

    def __init__(self, kafka: Brokers, view: RedisServer, registry: RedisServer) -> None:
        self._kafka, self._redis = kafka, {"view": view, "registry": registry}
        self.happened: Counter[str] = Counter()
        """What was really done to which."""
        self.settings: Mapping[str, str] = {
            "ROOMSYNC_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "ROOMSYNC_VIEW_REDIS_URL": view.url,
            "ROOMSYNC_REGISTRY_REDIS_URL": registry.url,
            "ROOMSYNC_KAFKA_REPLICATION": "1",
        }
        # Threads that stay: a server is killed when the thread that started it ends.
        self._hands = ThreadPoolExecutor(3, thread_name_prefix="server")
        self._busy: list[Future[None]] = []
        self._one_at_a_time = {name: threading.Lock() for name in ("view", "registry", "broker")}

    def act(self, kind: str, seconds: float) -> None:
        """`freeze-view`, `kill-registry`, `freeze-broker` and so on, for so long. Only the registry keeps what it knew."""
        self._busy.append(self._hands.submit(self._act, kind, seconds))

    @property
    def busy(self) -> bool:
        """Whether something is being done to one of them."""
        return not all(one.done() for one in self._busy)

    def calm(self) -> None:
        """Wait until all are back. Raises ServerError."""
        for one in self._busy:
            one.result()
        self._busy.clear()

    def close(self) -> None:
        """Nothing more will be done to them."""
        self._hands.shutdown()

    def _act(self, kind: str, seconds: float) -> None:
        what, _, which = kind.partition("-")
        server = self._redis.get(which, self._kafka)
        with self._one_at_a_time[which]:
            server.freeze() if what == "freeze" else server.kill()
            self.happened[f"{what} {which}"] += 1
            time.sleep(seconds)
            if what == "freeze":
                server.thaw()
            elif isinstance(server, RedisServer):
                server.restart()
            else:
                server.start()


@contextlib.contextmanager
def own_servers() -> Iterator[Servers]:
    """Fresh ones on free ports. Raises ServerError, which says what to install."""
    with contextlib.ExitStack() as stack:
        view = stack.enter_context(redis_server(RedisUse.VIEWS))
        registry = stack.enter_context(redis_server(RedisUse.REGISTRY))
        kafka = stack.enter_context(brokers(1))
        yield stack.enter_context(contextlib.closing(Servers(kafka, view, registry)))
