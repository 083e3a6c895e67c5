"""How often one browser, and one address, may sign in, begin tests and change things: fixed windows, in memory."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Flask, request

from services.portal.deps import deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import COOKIE, cookie_name
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.runtime.logging import get_logger

_SAFE = ("GET", "HEAD", "OPTIONS")
_SIGN_IN = ("/auth/login", "/auth/callback", "/profile/connect")
_SIGN_OUT = "/auth/logout"
_TEST = ("/admin/integration/test", "/v1/admin/integration/test")
_MOST_WINDOWS = 50_000
_log = get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a window. Per address it is wide: a whole office may stand behind one."""

    name: str
    window_ms: int
    per_session: int
    per_address: int


SIGN_IN = Limit("sign-in", MINUTE_MS, per_session=60, per_address=1_200)
TEST = Limit("test", 10 * MINUTE_MS, per_session=20, per_address=200)
WRITES = Limit("writes", MINUTE_MS, per_session=300, per_address=6_000)


@dataclass(slots=True)
class Windows:
    """Counts, by limit and by whom. Per process: behind several portals the limits are as many times as wide. Thread-safe."""

    _counts: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_ms(self, limit: Limit, who: str, most: int, now_ms: int) -> int:
        """Count one more; how long to wait for the next window if it is one too many, else 0."""
        window = now_ms // limit.window_ms
        key = (limit.name, who, window)
        with self._lock:
            count = self._counts[key] = self._counts.get(key, 0) + 1
            if len(self._counts) > _MOST_WINDOWS:
                self._forget(now_ms)
        return 0 if count <= most else (window + 1) * limit.window_ms - now_ms

    def _forget(self, now_ms: int) -> None:
        """Windows that have passed; if that is not enough, everything: nobody is turned away for another's flood."""
        sizes = {limit.name: limit.window_ms for limit in (SIGN_IN, TEST, WRITES)}
        self._counts = {key: count for key, count in self._counts.items() if key[2] == now_ms // sizes[key[0]]}
        if len(self._counts) > _MOST_WINDOWS:
            self._counts = {}


def register(app: Flask) -> None:
    """Count every request of `app` that signs in, tests or changes something."""
    windows = Windows()

    @app.before_request
    def count() -> None:
        limit = limit_of(request.method, request.path)
        if limit is None:
            return
        now_ms = deps().clock.now_ms()
        whose = _session()
        waits = [windows.wait_ms(limit, f"a/{request.remote_addr}", limit.per_address, now_ms)]
        if whose:
            waits.append(windows.wait_ms(limit, f"s/{whose}", limit.per_session, now_ms))
        if max(waits):
            _log.warning("too_many_requests", limit=limit.name)
            raise too_many(max(waits))


def limit_of(method: str, path: str) -> Limit | None:
    """Which limit a request counts under; None for reading. Pure."""
    if path in _SIGN_IN:
        return SIGN_IN
    if method in _SAFE or path == _SIGN_OUT:
        return None  # whoever wants to leave is never held back, whatever others behind the same address do
    return TEST if path in _TEST else WRITES


def too_many(wait_ms: int) -> ProblemError:
    """429, with when to come back."""
    wait_s = -(-wait_ms // SECOND_MS)
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        "That was too often in a short time.",
        next_step=f"Wait {wait_s} seconds, then try again.",
        retry_after_s=wait_s,
    )


def _session() -> str:
    """A name for the browser; its cookie is a secret and is not kept, not even in memory."""
    cookie = request.cookies.get(cookie_name(COOKIE), "") or request.cookies.get(cookie_name("roomsync_sign_in"), "")
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else ""
