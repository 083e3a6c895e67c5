"""
The receiver over HTTP: routes that answer fast, decide little, and acknowledge only what is durable.

Theory of operation. Each path belongs to one provider's profile; its protocol (`protocols`) reads the request, which `HookHandler`
answers in one of four ways:

- Graph's handshake is answered with the token that it sent.
- A request that is no push of that protocol is refused with the status that the protocol names, and counted.
- Notifications become hints. Those whose proof does not verify, or that cannot be read, are counted and left out; the request
  is acknowledged all the same, since a provider repeats what is not acknowledged.
- When the hints cannot be appended, whatever the reason, the answer is 503, which both providers retry; nothing is acknowledged.

A hint names a mailbox, whose key chooses its partition, and carries no content. `Intake` appends the hints of all requests that
have come meanwhile in one call, behind a breaker, and says of each request when the log has its hints for good. No thread waits
for that: the server's loop reads a push, and sends the answer when it is there (`direct_routes`, ADR 38). The Flask application
has the same routes, for whoever puts another server in front, where a thread waits.

A request may be taken twice: the look that follows a hint is idempotent. Where hints of a partition had to be refused, a later
append to it carries a gap command as well, which has the partition's mailboxes looked at. That memory of refusals is in the
process alone; a process that dies loses it, and the appointments of the mailboxes cover what the provider does not send again.

Processes share no state, so any number of them can run. They hold the keys of hooks only: none that opens a tenant's records.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import assert_never

from flask import Flask, Response, request
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
from shared.runtime.http_direct import DirectAnswer, DirectHandler, DirectRequest, DirectRoutes, Respond
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

NAME = "webhook-receiver"
MAX_BODY_BYTES = 1024 * 1024
RETRY_AFTER_S = 1

_AGAINST_BROWSERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
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

    def begin(self, profile: Profile, read: _Read, asked: DirectRequest, respond: Respond) -> None:
        """
        Answer a request to a path of the provider's, perhaps later.

        Args:
            profile: The provider's.
            read: Its push protocol.
            asked: The request.
            respond: Called once with the answer, here or by the thread that learns what became of the hints.
        """
        began = time.perf_counter()

        def answered(answer: DirectAnswer) -> None:
            metrics.HOOK_SECONDS.labels(profile.provider).observe(time.perf_counter() - began)
            respond(answer)

        push = read(asked.query, asked.headers, asked.body, self._keys, self._clock.now_ms())
        match push:
            case Handshake(token):
                answered(_answer(_OK, token.encode(), "text/plain; charset=utf-8"))
            case UnreadablePush():
                answered(_refusal(profile.provider, push))
            case _:
                self._accept(profile, push, asked, answered)

    def _accept(self, profile: Profile, push: Notifications, asked: DirectRequest, respond: Respond) -> None:
        provider = profile.provider
        step = trace.continue_trace(asked.headers.get(trace.HEADER))
        crash_point("receiver-appending")

        def settled(failure: Exception | None) -> None:
            if failure is not None:  # whatever is wrong with us: 503 is what both providers retry
                metrics.HOOK_ITEMS.labels(provider, "unavailable").inc(len(push.hints))
                _say_why(failure)
                respond(_unavailable())
                return
            crash_point("receiver-appended")
            _count(provider, push)
            _log.debug("notifications_accepted", provider=provider, items=len(push.hints), trace=step.trace_id)
            respond(_answer(profile.hooks.acknowledgement))

        self._intake.begin(profile.hooks.topic.name, push.hints, step, settled)


def direct_routes(hooks: HookHandler) -> DirectRoutes:
    """Each provider's paths, for a server that lets answers come later."""
    return {
        path: partial(hooks.begin, profile, _reader_of(profile.provider))
        for profile in PROFILES.values()
        for path in profile.hooks.paths
    }


def make_app(hooks: HookHandler, checks: Mapping[str, Check]) -> Flask:
    """The receiver's application; nothing in it depends on the server in front."""
    app = Flask(NAME, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_blueprint(health_blueprint(NAME, checks))
    app.register_error_handler(HTTPException, _as_problem)

    for path, handler in direct_routes(hooks).items():
        app.add_url_rule(path, path, partial(_awaited, handler), methods=["POST"])

    @app.after_request
    def protect_from_browsers(response: Response) -> Response:
        response.headers.update(_AGAINST_BROWSERS)
        return response

    return app


def _awaited(handler: DirectHandler) -> Response:
    """The answer to Flask's current request, for which this thread waits."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = DirectRequest(request.query_string.decode("latin-1"), headers, request.get_data(cache=False))
    done, answers = threading.Event(), list[DirectAnswer]()

    def respond(answer: DirectAnswer) -> None:
        answers.append(answer)
        done.set()

    handler(asked, respond)
    done.wait()
    return _as_response(answers[0])


def _as_response(answer: DirectAnswer) -> Response:
    response = Response(answer.body, answer.status)
    response.headers.clear()
    response.headers.extend(answer.headers)
    return response


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


def _refusal(provider: Provider, push: UnreadablePush) -> DirectAnswer:
    metrics.HOOK_REFUSALS.labels(provider, push.reason).inc()
    return _problem(push.status, push.reason, push.next)


def _unavailable() -> DirectAnswer:
    what_next = "Send the same request again; nothing of it is lost here."
    return _problem(_UNAVAILABLE, "log-unavailable", what_next, ("Retry-After", str(RETRY_AFTER_S)))


def _as_problem(error: HTTPException) -> Response:
    code = (error.name or "error").lower().replace(" ", "-")
    allowed = [(name, value) for name, value in error.get_headers() if name.lower() == "allow"]
    return _as_response(_problem(error.code or _UNAVAILABLE, code, error.description or "", *allowed))


def _problem(status: int, code: str, what_next: str, *headers: tuple[str, str]) -> DirectAnswer:
    document = {
        "type": "about:blank",
        "title": code.replace("-", " "),
        "status": status,
        "code": code,
        "next": what_next,
    }
    return _answer(status, json.dumps(document).encode(), "application/problem+json", *headers)


def _answer(status: int, body: bytes = b"", kind: str = "", *headers: tuple[str, str]) -> DirectAnswer:
    content_type = (("Content-Type", kind),) if kind else ()
    return DirectAnswer(status, (*_AGAINST_BROWSERS.items(), *content_type, *headers), body)
