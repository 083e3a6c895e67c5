"""One application: both providers, their sign-in, the control API and the page, over one world."""

from __future__ import annotations

import os
import time

from flask import Flask, Response, g, request

from simulator import control, google, identity, microsoft, pages
from simulator.recording import FOLDER, record_requests
from simulator.world import World

_PROVIDERS = ("microsoft", "google")


def create_app(world: World) -> Flask:
    """
    Wire every side to one world.

    Args:
        world: started by the caller (`world.start()`) when time is to pass by itself.
    """
    app = Flask("simulator", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask types the provider, not its default
    app.before_request(_begin)
    identity.register(app, world)
    microsoft.register(app, world)
    google.register(app, world)
    control.register(app, world)
    pages.register(app)

    @app.after_request
    def log(answer: Response) -> Response:
        _log(world, answer)
        return answer

    if os.environ.get(FOLDER):
        app.wsgi_app = record_requests(app.wsgi_app, os.environ[FOLDER])  # type: ignore[method-assign,assignment]
    return app


def _begin() -> None:
    g.began = time.monotonic()


def _log(world: World, answer: Response) -> None:
    provider = request.path.split("/", 2)[1]
    if provider not in _PROVIDERS:
        return
    principal = g.get("principal")
    world.requests.add(
        atMs=world.now_ms(),
        provider=provider,
        method=request.method,
        path=request.path,
        # Secrets travel in the query of sign-in; the calendar's queries are part of the truth.
        query="" if "/login/" in request.path or "/o/oauth2" in request.path else request.query_string.decode(),
        user=principal.user_id if principal else None,
        client=principal.client_id if principal else None,
        status=answer.status_code,
        tookMs=int((time.monotonic() - g.began) * 1000),
        inFlight=g.get("in_flight", 1),
    )
