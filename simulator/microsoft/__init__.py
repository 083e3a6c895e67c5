"""Microsoft Graph's calendar, as a client sees it: subscriptions, delta, events, rooms, free and busy."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from simulator.microsoft.access import guard
from simulator.microsoft.errors import GraphError
from simulator.microsoft.notifier import Notifier
from simulator.microsoft.paths import accept_spellings
from simulator.microsoft.rounds import Rounds
from simulator.microsoft.routes_delta import delta
from simulator.microsoft.routes_events import events
from simulator.microsoft.routes_people import people
from simulator.microsoft.routes_subscriptions import subscriptions
from simulator.microsoft.side import BASE, EXTENSION, GraphSide
from simulator.microsoft.subscriptions import Subscriptions
from simulator.world import World

__all__ = ["BASE", "GraphSide", "register"]

for _blueprint in (events, delta, people, subscriptions):
    guard(_blueprint)


def register(app: Flask, world: World) -> GraphSide:
    """Serve Graph under `/microsoft/graph/v1.0` of this app; returns what the control API may switch."""
    kept = Subscriptions(world)
    made = GraphSide(world, kept, Rounds(world), Notifier(world, kept))
    app.extensions[EXTENSION] = made
    for blueprint in (events, delta, people, subscriptions):
        app.register_blueprint(blueprint)
    app.register_error_handler(404, _unknown_path)
    app.wsgi_app = accept_spellings(app.wsgi_app, BASE)  # type: ignore[method-assign,assignment]
    return made


def _unknown_path(error: NotFound) -> Response | NotFound:
    """Graph answers in its own shape where it has no such resource; the other sides keep theirs."""
    if not request.path.startswith(BASE):
        return error
    return GraphError(404, "BadRequest", f"Resource not found for the segment '{request.path}'.").response("-", "")
