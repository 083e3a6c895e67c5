"""Microsoft Graph's calendar, as a client sees it: subscriptions, delta, events, rooms, free and busy."""

from __future__ import annotations

from flask import Flask

from simulator.graph.access import guard
from simulator.graph.notifier import Notifier
from simulator.graph.paths import forgiving
from simulator.graph.rounds import Rounds
from simulator.graph.routes_delta import delta
from simulator.graph.routes_events import events
from simulator.graph.routes_people import people
from simulator.graph.routes_subscriptions import subscriptions
from simulator.graph.side import BASE, EXTENSION, GraphSide
from simulator.graph.subscriptions import Subscriptions
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
    app.wsgi_app = forgiving(app.wsgi_app, BASE)  # type: ignore[method-assign,assignment]
    return made
