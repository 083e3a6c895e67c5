"""Reading the world: who and what there is, what really happened, what was asked, what time it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from simulator.control import parse, render
from simulator.control.routes import Reply, control, health, world
from simulator.world import InvalidError, World


def _listing(name: str, read: Callable[[World], list[dict[str, Any]]]) -> None:
    def view() -> Response:
        with world().lock:
            return jsonify({name: read(world())})

    control.add_url_rule(f"/{name}", f"list_{name}", view, methods=["GET"])


def _after() -> int:
    text = request.args.get("after", "0")
    return int(text) if text.isdigit() else 0


_listing("tenants", lambda w: [render.tenant(one) for one in w.directory.tenants.values()])
_listing("users", lambda w: [render.user(one) for one in w.directory.users.values()])
_listing("rooms", lambda w: [render.room(one) for one in w.directory.rooms.values()])
_listing("meetings", lambda w: [render.meeting(w, one) for one in w.calendar.meetings.values()])
_listing("history", lambda w: [fact.as_dict() for fact in w.history.after(_after())])
_listing("requests", lambda w: w.requests.after(_after()))
_listing("subscriptions", lambda w: [one for listed in w.subscription_listings.values() for one in listed()])
_listing("deliveries", lambda w: list(w.delivery.log))


@control.get("/clock")
def clock() -> Reply:
    """What time it is here."""
    return jsonify({"nowMs": world().now_ms()})


@control.post("/clock")
def move_clock() -> Reply:
    """Move time, by `advanceMs` or to `nowMs`; what becomes due runs before the answer leaves."""
    sent = parse.body()
    step, to = sent.get("advanceMs"), sent.get("nowMs")
    if not isinstance(step if to is None else to, int):
        message = "send advanceMs or nowMs, a number of milliseconds"
        raise InvalidError(message)
    world().run_due()  # what is due now happened before the move, however busy the scheduler's thread has been
    with world().lock:
        world().set_clock(to if isinstance(to, int) else world().now_ms() + int(step or 0))
    world().run_due()
    return jsonify({"nowMs": world().now_ms()})


@health.get("/livez")
def alive() -> Reply:
    """The process answers."""
    return jsonify({"status": "alive"})


@health.get("/readyz")
def ready() -> Reply:
    """The world is there."""
    return jsonify({"status": "ready", "nowMs": world().now_ms()})
