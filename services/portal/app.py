"""
The portal as a Flask application: one blueprint per concern.

Theory of operation. `frame` surrounds every request: it bounds the request's size and rate, finds the session behind the cookie,
checks the token that guards every change, and turns errors into problem documents or pages. A route asks `sessions.require_right`
or its kin who the person is, and reads nothing beyond what follows from that person's mailbox.

- Rooms and prompts are read from the view, a projection of `meeting-state` that `room_status` writes. Its records are sealed under
  the tenant's keys and name no content. A prompt is computed at each read; it is stored nowhere.
- Titles, free/busy and the agenda are read from the provider, as the person who looks (`meetings.live_reader`), and not kept.
- What people and administrators own (sessions, grants, rooms, dismissals, takes, the integration's state) is in the registry, whose
  rows are changed by compare-and-set.
- Each route below `/v1` says with `interface.operation` what it takes and answers; the OpenAPI document is made of that.
- A request for the mailbox's sync worker (connect, disconnect, take a room) goes to `commands`, in the mailbox's own partition. A
  take is recorded under its idempotency key before its command is appended, so that a repeated request makes no second one.
- An open stream follows the view's revision and the clock, and ends with its session or the process.
- Sign-in is OpenID Connect with PKCE. The same departure serves a few other purposes, each a `SignInPurpose`.
- Where a request waits for a provider in the server's own thread (signing in, import, preflight, giving a test up), it takes one of
  a few places first (`frame.provider_calls`), so that a provider which does not answer holds no more threads than those.
- An administrator's test of the integration runs in a thread of this process and keeps its progress in the registry.

Processes share no memory, so any number of them can run. A store that is away fails the requests
that need it, and no others.
"""

from __future__ import annotations

import time

from flask import Flask, Response, g, request

from services.portal.admin.audit import routes as audit_routes
from services.portal.admin.chat import routes as chat_routes
from services.portal.admin.incident import routes as incident_routes
from services.portal.admin.integration import consent, domains, given_up_directory, switch_off
from services.portal.admin.integration import routes as integration_routes
from services.portal.admin.integration.directory_proof import DirectoryProof
from services.portal.admin.integration.domains import DomainProof
from services.portal.admin.integration.testflow.authorization import TestPurpose
from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.admin.overview import routes as overview_routes
from services.portal.admin.people import routes as people_routes
from services.portal.admin.report import routes as report_routes
from services.portal.admin.rooms import routes as room_routes
from services.portal.admin.rooms.directory_import import RoomImport
from services.portal.admin.webhooks import routes as webhook_routes
from services.portal.decline_feed import routes as decline_feed_routes
from services.portal.deps import EXTENSION, Deps
from services.portal.frame import (
    assets,
    headers,
    language,
    limits,
    navigation,
    problems,
    provider_calls,
    request_bounds,
    security_contact,
    sessions,
)
from services.portal.frame.url_rules import LateRule
from services.portal.help import routes as help_routes
from services.portal.interface import routes as interface_routes
from services.portal.kept_data import routes as kept_data_routes
from services.portal.meetings import room_habits
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_calendar import language as language_routes
from services.portal.my_calendar import profile, welcome
from services.portal.my_day import routes as my_day_routes
from services.portal.my_rooms import routes as my_rooms_routes
from services.portal.my_rooms import stream
from services.portal.notifications import links as notification_links
from services.portal.notifications import routes as notification_routes
from services.portal.sign_in import routes as sign_in_routes
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.routes import SignInPurpose
from shared.providers.catalogue import profile_of
from shared.registry import tables
from shared.runtime import metrics
from shared.runtime.health import health_blueprint

NAME = "portal"
TEST_FLOW = "test-flow"
"""The extension that runs administrators' tests."""
MAX_BODY_BYTES = 64 * 1024


class _QuickFlask(Flask):
    """Flask whose rules are quick to make."""

    url_rule_class = LateRule


def create_app(deps: Deps) -> Flask:
    """
    Build the application.

    Args:
        deps: Stores, providers, time and keys; closed by whoever opened them.
    """
    app = _QuickFlask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions[EXTENSION] = deps
    reader = LiveReader(deps)
    flow = app.extensions[TEST_FLOW] = TestFlow(deps)
    problems.register(app)
    _measure(app)
    request_bounds.register(app)
    language.register(app)
    assets.register(app)
    limits.register(app, deps)
    provider_calls.register(app)
    sessions.register(app)
    headers.register(app)
    navigation.register(app)
    room_habits.register(app, deps)
    my_rooms_routes.register_filters(app, may_write=deps.settings.may_write)
    app.jinja_env.globals["profile_of"] = profile_of
    checks = {
        "log": deps.engine.log.probe,
        "view": lambda: deps.engine.view.revision("-/-"),
        "registry": lambda: tables.tenants(deps.engine.registry).get("-", "tenant"),
    }
    app.register_blueprint(health_blueprint(NAME, checks))
    room_import, test, proof = RoomImport(deps), TestPurpose(deps, flow), DirectoryProof(deps)
    domain_proof = DomainProof(deps)
    purposes: dict[Purpose, SignInPurpose] = {
        Purpose.ROOMS: room_import,
        Purpose.TEST: test,
        Purpose.TEST_ROOMS: test,
        Purpose.PROVE: proof,
        Purpose.DOMAINS: domain_proof,
    }
    app.register_blueprint(sign_in_routes.blueprint(deps, purposes))
    app.register_blueprint(security_contact.blueprint(deps))
    app.register_blueprint(interface_routes.blueprint())
    app.register_blueprint(overview_routes.blueprint(deps))
    app.register_blueprint(audit_routes.blueprint(deps))
    app.register_blueprint(integration_routes.blueprint(deps, flow, test, proof))
    app.register_blueprint(domains.blueprint(domain_proof))
    app.register_blueprint(consent.blueprint(deps))
    for ending in (switch_off, given_up_directory):
        app.register_blueprint(ending.blueprint(deps, flow))
    app.register_blueprint(help_routes.blueprint(deps))
    app.register_blueprint(report_routes.blueprint(deps))
    app.register_blueprint(incident_routes.blueprint(deps))
    app.register_blueprint(people_routes.blueprint(deps))
    app.register_blueprint(webhook_routes.blueprint(deps))
    app.register_blueprint(chat_routes.blueprint(deps))
    app.register_blueprint(profile.blueprint(deps))
    app.register_blueprint(kept_data_routes.blueprint(deps))
    app.register_blueprint(welcome.blueprint(deps))
    app.register_blueprint(language_routes.blueprint(deps))
    app.register_blueprint(notification_routes.blueprint(deps))
    app.register_blueprint(notification_links.blueprint(deps))
    app.register_blueprint(stream.blueprint(deps, reader))
    app.register_blueprint(decline_feed_routes.blueprint(deps))
    app.register_blueprint(my_rooms_routes.blueprint(deps, reader))
    app.register_blueprint(room_routes.blueprint(deps, reader, room_import))
    app.register_blueprint(my_day_routes.blueprint(deps, reader))
    return app


def _measure(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        g.began_s = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.url_rule is not None and not response.is_streamed:
            metrics.PAGE_SECONDS.labels(request.url_rule.rule).observe(time.perf_counter() - g.began_s)
        return response
