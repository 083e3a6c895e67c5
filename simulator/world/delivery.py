"""Notifications on their way: a pool of senders with each side's retry policy and the seeded faults of the road."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from simulator.world.faults import Faults
from simulator.world.ids import Ids
from simulator.world.scheduler import Scheduler

_LOG_LENGTH = 5000


@dataclass(frozen=True, slots=True)
class Policy:
    """How one side retries, in seconds; `retry` takes a status (None: no connection, timeout) and says whether."""

    provider: str
    first_timeout_s: float
    retry_timeout_s: float
    waits_s: tuple[float, ...]
    retry: Callable[[int | None], bool]


@dataclass(slots=True)
class Post:
    """One notification. `still_wanted` is asked before each attempt (the subscription may be gone by then)."""

    policy: Policy
    url: str
    headers: Mapping[str, str]
    body: bytes
    subject: str
    attempt: int = 0
    still_wanted: Callable[[], bool] = field(default=lambda: True)


def http_post(url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> tuple[int, bytes, str]:
    """POST once, without proxies or redirects; returns status, body, content type. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(parts.netloc, timeout=timeout_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("Content-Type", "")
    finally:
        connection.close()


class Delivery:
    """`send` never blocks; waits are on the world's clock, the POST itself on a thread of the pool."""

    def __init__(self, ids: Ids, scheduler: Scheduler, faults: Faults) -> None:
        self._ids = ids
        self._scheduler = scheduler
        self._faults = faults
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="simulator-push")
        self._log_lock = threading.Lock()
        self._sent = 0
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)

    def send(self, post: Post) -> None:
        """Put one notification on the road, subject to the faults that are on now."""
        self._sent += 1
        provider = post.policy.provider
        dice = self._ids.random("road", provider, self._sent)
        drop, twice, late = dice.random(), dice.random(), dice.random()
        off = self._faults.get("pushOff", provider) or self._faults.contradicts(f"{provider}.push-latency")
        if off or drop < self._faults.get("dropShare", provider):
            self._note(post, "dropped", None)
            return
        delay_ms = dice.randint(*self._faults.get("pushDelayMs", provider))
        if late < self._faults.get("reorderShare", provider):
            delay_ms += dice.randint(1000, 3000)
        self._later(delay_ms, post)
        if twice < self._faults.get("duplicateShare", provider):
            self._later(delay_ms + dice.randint(0, 200), post)

    def run(self, job: Callable[[], None]) -> None:
        """Run something that may block (a handshake, say) on the pool."""
        self._pool.submit(job)

    def stop(self) -> None:
        """Take no more; what is on its way is abandoned."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _later(self, delay_ms: int, post: Post) -> None:
        attempt = Post(post.policy, post.url, post.headers, post.body, post.subject, 0, post.still_wanted)
        if delay_ms:
            self._scheduler.after(delay_ms, lambda: self._submit(attempt))
        else:
            self._submit(attempt)

    def _submit(self, post: Post) -> None:
        try:
            self._pool.submit(self._attempt, post)
        except RuntimeError:
            return  # the pool is shut down: the world is ending

    def _attempt(self, post: Post) -> None:
        if not post.still_wanted():
            self._note(post, "unwanted", None)
            return
        policy = post.policy
        timeout_s = policy.first_timeout_s if post.attempt == 0 else policy.retry_timeout_s
        status: int | None
        try:
            status, _, _ = http_post(post.url, post.headers, post.body, timeout_s)
        except (OSError, http.client.HTTPException):
            status = None
        if status is not None and 200 <= status < 300:  # noqa: PLR2004
            self._note(post, "delivered", status)
        elif policy.retry(status) and post.attempt < len(policy.waits_s):
            self._note(post, "retrying", status)
            wait_s = policy.waits_s[post.attempt] * self._faults.get("retryScale", policy.provider)
            post.attempt += 1
            self._scheduler.after(wait_s * 1000, lambda: self._submit(post))
        else:
            self._note(post, "given-up", status)

    def _note(self, post: Post, outcome: str, status: int | None) -> None:
        with self._log_lock:
            self.log.append(
                {
                    "provider": post.policy.provider,
                    "subject": post.subject,
                    "attempt": post.attempt,
                    "outcome": outcome,
                    "status": status,
                }
            )
