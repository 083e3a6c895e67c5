"""Subscriptions over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.microsoft import parse
from simulator.microsoft.access import READ, needs, principal
from simulator.microsoft.side import BASE, side
from simulator.microsoft.subscriptions import OpenSubscription

subscriptions = Blueprint("graph-subscriptions", __name__, url_prefix=BASE)


@subscriptions.post("/subscriptions")
def create() -> tuple[Response, int]:
    """Make one; both addresses are validated before the answer leaves."""
    needs(*READ)
    return jsonify(_as_dict(side().subscriptions.create(principal(), parse.body()))), 201


@subscriptions.get("/subscriptions")
def listed() -> Response:
    """The caller's own, made by this app."""
    needs(*READ)
    with side().world.lock:
        found = [one.as_dict() for one in side().subscriptions.of_principal(principal())]
    return jsonify({"@odata.context": f"{_metadata()}#subscriptions", "value": found})


@subscriptions.get("/subscriptions/<subscription_id>")
def get(subscription_id: str) -> Response:
    """One of the caller's own."""
    needs(*READ)
    with side().world.lock:
        return jsonify(_as_dict(side().subscriptions.get(principal(), subscription_id)))


@subscriptions.patch("/subscriptions/<subscription_id>")
def renew(subscription_id: str) -> Response:
    """Another expiry, another address."""
    needs(*READ)
    return jsonify(_as_dict(side().subscriptions.renew(principal(), subscription_id, parse.body())))


@subscriptions.delete("/subscriptions/<subscription_id>")
def delete(subscription_id: str) -> tuple[str, int]:
    """End it."""
    needs(*READ)
    with side().world.lock:
        side().subscriptions.delete(principal(), subscription_id)
    return "", 204


@subscriptions.post("/subscriptions/<subscription_id>/reauthorize")
def reauthorize(subscription_id: str) -> tuple[str, int]:
    """Renew the access check only."""
    needs(*READ)
    with side().world.lock:
        side().subscriptions.reauthorize(principal(), subscription_id)
    return "", 204


def _metadata() -> str:
    return f"{request.host_url}{BASE[1:]}/$metadata"


def _as_dict(one: OpenSubscription) -> dict[str, Any]:
    return {"@odata.context": f"{_metadata()}#subscriptions/$entity", **one.as_dict()}
