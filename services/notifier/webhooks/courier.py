"""Requests on their way, of all partitions of a process: sent in threads, few at once to one endpoint, slow ones by themselves."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple

from shared.runtime.crash_points import crash_point
from shared.runtime.http_post import TIMEOUT, HttpPost, PostResult
from shared.runtime.logging import get_logger

LANE_THREADS = 16
MOST_AT_ONCE = 3
"""To one endpoint, of one process."""
SLOW_S = 2.0
"""An endpoint that took longer to answer is asked by the threads of the slow until it answers faster."""

logger = get_logger()


class EndpointName(NamedTuple):
    """An endpoint, and whose it is."""

    tenant: str
    id: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One attempt."""

    endpoint: EndpointName
    number: int
    event: str
    url: str
    headers: Mapping[str, str]
    body: bytes


Ended = queue.SimpleQueue[tuple[Parcel, PostResult]]


class Courier:
    """
    Sends what it has a thread for; nothing queues here. Thread-safe.

    There are two lanes of threads. Whoever answers slowly, or not at all, has the second one, so that all the slow ones
    together hold up nobody who answers.
    """

    def __init__(self, post: HttpPost, *, threads: int = LANE_THREADS) -> None:
        self._post = post
        self._threads = threads
        self._lanes: tuple[Executor, Executor] = (
            ThreadPoolExecutor(threads, thread_name_prefix="webhook"),
            ThreadPoolExecutor(threads, thread_name_prefix="webhook-slow"),
        )
        self._lock = threading.Lock()
        self._busy: Counter[EndpointName] = Counter()
        self._used = [0, 0]
        self._slow: set[EndpointName] = set()
        self._under_way: set[Future[None]] = set()

    def has_room(self, endpoint: EndpointName) -> bool:
        """Whether there is a thread for it now: asked before an attempt is prepared, which costs reads of log and registry."""
        with self._lock:
            return self._has_room(endpoint)

    def _has_room(self, endpoint: EndpointName) -> bool:
        return self._used[endpoint in self._slow] < self._threads and self._busy[endpoint] < MOST_AT_ONCE

    def try_send(self, parcel: Parcel, ended: Ended) -> bool:
        """Begin to send, if there is a thread for it; the result will stand in `ended`."""
        with self._lock:
            if not self._has_room(parcel.endpoint):
                return False
            lane = int(parcel.endpoint in self._slow)
            self._used[lane] += 1
            self._busy[parcel.endpoint] += 1
        future = self._lanes[lane].submit(self._send, parcel, lane, ended)
        with self._lock:
            self._under_way.add(future)
        future.add_done_callback(self._forget)
        return True

    def drain(self, timeout_s: float, also: Iterable[Future[None]] = ()) -> None:
        """Wait for what is on its way, and `also`; what takes longer is sent again by whoever takes over, under the same id."""
        with self._lock:
            under_way = {*self._under_way, *also}
        wait(under_way, timeout=timeout_s)

    def _forget(self, future: Future[None]) -> None:
        with self._lock:
            self._under_way.discard(future)

    def _send(self, parcel: Parcel, lane: int, ended: Ended) -> None:
        try:
            result = self._post.send(parcel.url, parcel.headers, parcel.body)
        except Exception:  # a fault of ours in one request must not stop the others
            logger.exception("webhook_failed", webhook=parcel.endpoint.id, event_id=parcel.event)
            result = PostResult(fault="internal")
        if result.taken:
            crash_point("webhooks.sent")
        with self._lock:
            self._used[lane] -= 1
            self._busy[parcel.endpoint] -= 1
            if not self._busy[parcel.endpoint]:
                del self._busy[parcel.endpoint]
            if result.took_s > SLOW_S or result.fault == TIMEOUT:
                self._slow.add(parcel.endpoint)
            else:
                self._slow.discard(parcel.endpoint)
        ended.put((parcel, result))
