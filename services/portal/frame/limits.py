"""How often one account, and one client, may sign in, begin tests and change things: counted for all processes together."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, g, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError, answer
from services.portal.frame.sessions import BROWSER_COOKIE, anybody, cookie_name
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.domain.keys import pseudonym
from shared.language.deciding.sentences import say
from shared.runtime import metrics
from shared.runtime.client_address import client_group
from shared.runtime.log_limit import LimitedLog, LimitedRecords
from shared.runtime.logging import get_logger
from shared.runtime.wiring import counter_storage

EXTENSION = "limits"
_SAFE = ("GET", "HEAD", "OPTIONS")
_SIGN_IN = ("/auth/login", "/auth/callback", "/profile/connect")
SIGN_OUT = ("/auth/logout", "/profile/sign-out-everywhere")
_TEST = ("/admin/integration/test", "/v1/admin/integration/test")
_limited = LimitedLog(get_logger())


@dataclass(frozen=True, slots=True)
class Limit:
    """
    So many in a window, which begins with the first.

    Somebody who is signed in is counted by their account alone, in whichever browser, so that nobody behind the same address
    holds them up. Everybody else is counted by client, widely, since a whole office may stand behind one address, and by browser.
    """

    name: str
    window_ms: int
    per_account: int
    """Of one account, or of one browser that nobody is signed in with."""
    per_client: int
    """Of one client's address, or one IPv6 site, without a session."""

    def rule(self, most: int) -> str:
        """So many in this window, as the library reads it."""
        return f"{most} per {self.window_ms // SECOND_MS} second"


SIGN_IN = Limit("sign-in", MINUTE_MS, per_account=60, per_client=1_200)
TEST = Limit("test", 10 * MINUTE_MS, per_account=20, per_client=200)
WRITES = Limit("writes", MINUTE_MS, per_account=300, per_client=6_000)
LIMITS = (SIGN_IN, TEST, WRITES)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a request counts under, and as whose; "" for not at all."""

    limit: Limit | None
    client: str = ""
    account: str = ""


def register(app: Flask, deps: Deps) -> None:
    """
    Count every request of `app` that signs in, tests or changes something.

    While the store of the counts is away, each process counts for itself (ADR 16): whoever has a session goes on working.
    """

    @app.before_request
    def identify() -> None:
        g.counted = _counted(deps, limit_of(request.method, request.path))

    storage = counter_storage(deps.settings)
    limiter = Limiter(
        key_func=lambda: "",
        application_limits=[each for limit in LIMITS for each in _rules(limit)],
        storage_uri=storage.uri,
        storage_options=dict(storage.options),
        strategy="fixed-window",
        in_memory_fallback_enabled=True,
        swallow_errors=True,  # requests that waited for the store when it was found away
    )
    limiter.logger.setLevel(logging.WARNING)  # else a line for each request of a flood
    limiter.logger.addFilter(LimitedRecords())
    limiter.init_app(app)
    app.extensions[EXTENSION] = limiter

    @app.errorhandler(RateLimitExceeded)
    def refuse(_error: RateLimitExceeded) -> Response:
        limit = g.counted.limit
        metrics.PORTAL_LIMITED.labels(limit.name).inc()
        _limited.warning("too_many_requests", limit=limit.name)
        return answer(too_many(_wait_ms(limiter, limit)))


def limit_of(method: str, path: str) -> Limit | None:
    """Which limit a request counts under; None for reading. Pure."""
    if path in SIGN_OUT:
        return None  # whoever wants to leave is never held back
    if path in _SIGN_IN:
        return SIGN_IN
    if method in _SAFE:
        return None
    return TEST if path in _TEST else WRITES


def too_many(wait_ms: int) -> ProblemError:
    """429, with when to come back."""
    wait_s = -(-wait_ms // SECOND_MS)
    return ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        say("That was too often in a short time."),
        next_step=say("Wait {wait_s} seconds, then try again.").format(wait_s=wait_s),
        retry_after_s=wait_s,
    )


def _rules(limit: Limit) -> tuple[ApplicationLimit, ApplicationLimit]:
    """A limit in the library's words; by client first, which ends it, so that a flood makes no names of browsers."""
    return (
        ApplicationLimit(
            limit.rule(limit.per_client),
            key_function=lambda: g.counted.client,
            scope=limit.name,
            exempt_when=lambda: g.counted.limit is not limit or not g.counted.client,
        ),
        ApplicationLimit(
            limit.rule(limit.per_account),
            key_function=lambda: g.counted.account,
            scope=limit.name,
            exempt_when=lambda: g.counted.limit is not limit or not g.counted.account,
        ),
    )


def _counted(deps: Deps, limit: Limit | None) -> Counted:
    """Addresses and cookies are not kept, not even for a minute: a keyed hash names them."""
    if limit is None:
        return Counted(None)
    person = anybody()
    if person is not None:
        return Counted(limit, account=f"account:{person.tenant}:{person.user}")
    client, browser = client_group(request.remote_addr or ""), request.cookies.get(cookie_name(BROWSER_COOKIE), "")
    if not client:
        _limited.warning(
            "client_unknown", next="let the proxy set X-Forwarded-For; trust the addresses of proxies alone"
        )
    return Counted(
        limit,
        client=pseudonym(deps.session_key, "client", client) if client else "",
        account=pseudonym(deps.session_key, "browser", browser) if browser else "",
    )


def _wait_ms(limiter: Limiter, limit: Limit) -> int:
    """How long until the window ends; all of it when the store cannot say."""
    try:
        reached = limiter.current_limit
        left_ms = math.ceil((reached.reset_at - time.time()) * SECOND_MS) if reached else limit.window_ms
    except Exception:  # noqa: BLE001  # of whichever store; a refusal must not become a 500
        return limit.window_ms
    return min(max(left_ms, SECOND_MS), limit.window_ms)
