"""
Bounds the requests that wait for somebody else in the server's own threads: for a provider, to sign in and for what administrators
ask of one, and for a chat product, which an organisation's administrators choose and which may be a server of theirs.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from flask import Flask, current_app, request

from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import BROWSER_COOKIE, anybody, cookie_name
from shared.domain.identity import Provider
from shared.language.deciding.sentences import say
from shared.runtime import metrics
from shared.runtime.client_address import client_group
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

MAX_ADMITTED = 16
"""Requests that wait, of everybody and for all providers: so many threads of the server can be held, and no more."""
MAX_PER_PROVIDER = 8
"""A provider that does not answer leaves the other half to another one."""
MAX_PER_CLIENT = 6
"""From one address without a session: a whole office may stand behind it, and still leaves places to others."""
MAX_PER_PERSON = 2
"""Of one account, or of one browser that nobody is signed in with."""
MAX_CHAT_TESTS = 4
"""Tests of chat channels, of everybody."""
MAX_CHAT_TESTS_PER_ORGANISATION = 1
RETRY_AFTER_S = 5

_EXTENSION = "provider-calls"
Shares = Mapping[Hashable, int]
"""What a request counts as → how many of these may wait at once."""

_limited = LimitedLog(get_logger())


class ProviderCalls:
    """
    Admits a request before it waits for a provider, or refuses it at once. Thread-safe; one per process.

    Nobody queues: a request that is refused has used up nothing and can be sent again as it is. So at most `MAX_ADMITTED`
    threads of the server wait here, whatever a provider does, and all others answer.
    """

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._lock = threading.Lock()
        self._waiting: Counter[Hashable] = Counter()

    def take(self, shares: Shares) -> bool:
        """Take one place of each share; False, and none is taken, while one of them has none left."""
        with self._lock:
            free = all(self._waiting[share] < most for share, most in shares.items())
            if free:
                self._waiting.update(shares.keys())
            return free

    def give_back(self, shares: Shares) -> None:
        """Give back what `take` took."""
        with self._lock:
            self._waiting.subtract(shares.keys())
            self._waiting = +self._waiting  # only those who wait are remembered


def register(app: Flask) -> None:
    """Bound what the requests of `app` wait for."""
    app.extensions[_EXTENSION] = ProviderCalls()


@contextmanager
def waiting_for(provider: Provider) -> Iterator[None]:
    """
    Hold a place for the current request while it waits for `provider`.

    Raises:
        ProblemError: 503 with Retry-After, too many wait already.
    """
    with _place(_shares(provider), provider.value, _too_many):
        yield


@contextmanager
def waiting_for_chat(tenant: str) -> Iterator[None]:
    """
    Hold a place for the current request while it waits for a chat product of the organisation `tenant`.

    Raises:
        ProblemError: 503 with Retry-After, too many wait already.
    """
    shares: Shares = {"chat": MAX_CHAT_TESTS, ("chat", tenant): MAX_CHAT_TESTS_PER_ORGANISATION}
    with _place(shares, "chat", _chat_busy):
        yield


@contextmanager
def _place(shares: Shares, waits_for: str, refusal: Callable[[], ProblemError]) -> Iterator[None]:
    calls: ProviderCalls = current_app.extensions[_EXTENSION]
    if not calls.take(shares):
        metrics.PORTAL_LIMITED.labels("provider-calls").inc()
        _limited.warning("provider_call_refused", provider=waits_for)
        raise refusal()
    try:
        yield
    finally:
        calls.give_back(shares)


def _shares(provider: Provider) -> Shares:
    """Whom the current request counts as. Addresses and cookies are kept for as long as it waits."""
    shares: dict[Hashable, int] = {"all": MAX_ADMITTED, ("provider", provider): MAX_PER_PROVIDER}
    person = anybody()
    if person is not None:
        return {**shares, ("account", person.tenant, person.user): MAX_PER_PERSON}
    browser = request.cookies.get(cookie_name(BROWSER_COOKIE), "")
    client = client_group(request.remote_addr or "")
    if client:  # else a proxy names nobody: everybody would share one
        shares["client", client] = MAX_PER_CLIENT
    return {**shares, ("browser", browser): MAX_PER_PERSON}


def _too_many() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "provider-slow",
        say("Too many requests wait for your calendar system's answer already."),
        next_step=_AGAIN,
        retry_after_s=RETRY_AFTER_S,
    )


def _chat_busy() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "chat-busy",
        say("A chat channel is being tested already."),
        next_step=_AGAIN,
        retry_after_s=RETRY_AFTER_S,
    )


_AGAIN = say(
    "Nothing was done or used up. Wait {retry_after_s} seconds, then reload this page or send it again."
).format(retry_after_s=RETRY_AFTER_S)
