"""
The receiver over HTTP: routes that answer fast, decide little, and acknowledge only what is durable.

Theory of operation. Each path belongs to one provider's profile; its protocol (`protocols`) reads the request, which `HookHandler`
answers in one of four ways:

- Graph's handshake is answered with the token that it sent.
- A request that is no push of that protocol is refused with the status that the protocol names, and counted.
- Notifications become hints. Those whose proof does not verify, or that cannot be read, are counted and left out; the request
  is acknowledged all the same, since a provider repeats what is not acknowledged.
- When the hints cannot be appended, whatever the reason, the answer is 503, which both providers retry; nothing is acknowledged.

A hint names a mailbox, whose key chooses its partition, and carries no content. `Intake` appends all hints of a request in one
call, behind a breaker, and returns when the log has them for good. A request may be taken twice: the look that follows a hint is
idempotent. Where hints of a partition had to be refused, the next append to it carries a gap command as well, which has the
partition's mailboxes looked at. That memory of refusals is in the process alone; a process that dies loses it, and the
appointments of the mailboxes cover what the provider does not send again.

Processes share no state, so any number of them can run. They hold the keys of hooks only: none that opens a tenant's records.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import assert_never

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from services.webhook_receiver.intake import Intake
from services.webhook_receiver.protocols import google, graph
from services.webhook_receiver.protocols.push import Handshake, Notifications, ReadPush, UnreadablePush
from shared.domain import trace
from shared.domain.identity import Provider
from shared.domain.proof import HookKeys
from shared.errors import LogUnavailableError
from shared.ports.clock import Clock
from shared.providers.catalogue import PROFILES
from shared.providers.profile import Profile
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.health import Check, health_blueprint
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

NAME = "webhook-receiver"
MAX_BODY_BYTES = 1024 * 1024
RETRY_AFTER_S = 1

_OK = 200
_UNAVAILABLE = 503

_Read = Callable[[str, Mapping[str, str], bytes, HookKeys, int], ReadPush]

_log = get_logger()
_limited = LimitedLog(_log)
"""For what a stranger's request can cause: a flood of them must not fill the log."""


class HookHandler:
    """One request through protocol, intake and answer. Thread-safe."""

    def __init__(self, intake: Intake, keys: HookKeys, clock: Clock) -> None:
        self._intake = intake
        self._keys = keys
        self._clock = clock

    def handle(self, profile: Profile, read: _Read) -> Response:
        """Answer the current request, which came to a path of the provider's."""
        provider, began = profile.provider, time.perf_counter()
        try:
            body = request.get_data(cache=False)
            query = request.query_string.decode("latin-1")
            push = read(query, dict(request.headers), body, self._keys, self._clock.now_ms())
            match push:
                case Handshake(token):
                    return Response(token, status=_OK, content_type="text/plain; charset=utf-8")
                case UnreadablePush():
                    return _refusal(provider, push)
            return self._accept(profile, push)
        finally:
            metrics.HOOK_SECONDS.labels(provider).observe(time.perf_counter() - began)

    def _accept(self, profile: Profile, push: Notifications) -> Response:
        provider = profile.provider
        step = trace.continue_trace(request.headers.get(trace.HEADER))
        crash_point("receiver-appending")
        try:
            self._intake.take(profile.hooks.topic.name, push.hints, step)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with us: 503 is what both providers retry
            metrics.HOOK_ITEMS.labels(provider, "unavailable").inc(len(push.hints))
            _say_why(error)
            return _unavailable()
        crash_point("receiver-appended")
        _count(provider, push)
        _log.debug("notifications_accepted", provider=provider, items=len(push.hints), trace=step.trace_id)
        return Response(status=profile.hooks.acknowledgement)


def make_app(hooks: HookHandler, checks: Mapping[str, Check]) -> Flask:
    """The receiver's application; nothing in it depends on the server in front."""
    app = Flask(NAME, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_blueprint(health_blueprint(NAME, checks))
    app.register_error_handler(HTTPException, _as_problem)

    for profile in PROFILES.values():
        for path in profile.hooks.paths:
            app.add_url_rule(path, path, partial(hooks.handle, profile, _reader_of(profile.provider)), methods=["POST"])

    @app.after_request
    def protect_from_browsers(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
        return response

    return app


def _reader_of(provider: Provider) -> _Read:
    """The function that reads a provider's push protocol."""
    match provider:
        case Provider.MICROSOFT:
            return graph.read
        case Provider.GOOGLE:
            return google.read
        case _:
            assert_never(provider)


def _count(provider: Provider, push: Notifications) -> None:
    counts = {"accepted": len(push.hints), "forged": push.forged, "malformed": push.malformed}
    for outcome, count in counts.items():
        if count:
            metrics.HOOK_ITEMS.labels(provider, outcome).inc(count)
    if push.forged or push.malformed:
        _limited.info("items_without_effect", provider=provider, forged=push.forged, malformed=push.malformed)


def _say_why(error: Exception) -> None:
    if isinstance(error, LogUnavailableError):
        _limited.warning("log_unavailable", reason=str(error))
    else:
        _limited.error("intake_failed", exc_info=error)


def _refusal(provider: Provider, push: UnreadablePush) -> Response:
    metrics.HOOK_REFUSALS.labels(provider, push.reason).inc()
    return _problem(push.status, push.reason, push.next)


def _unavailable() -> Response:
    response = _problem(_UNAVAILABLE, "log-unavailable", "Send the same request again; nothing of it is lost here.")
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _as_problem(error: HTTPException) -> Response:
    code = (error.name or "error").lower().replace(" ", "-")
    response = _problem(error.code or _UNAVAILABLE, code, error.description or "")
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _problem(status: int, code: str, what_next: str) -> Response:
    response = jsonify(
        {"type": "about:blank", "title": code.replace("-", " "), "status": status, "code": code, "next": what_next}
    )
    response.status_code = status
    response.content_type = "application/problem+json"
    return response
