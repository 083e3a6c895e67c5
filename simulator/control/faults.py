"""Switching faults, and the faults that are acts: expiring cursors, lifecycle notifications, silent removal."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify

from simulator.control import parse
from simulator.control.routes import Reply, control, world
from simulator.microsoft.notifier import LIFECYCLE_KINDS
from simulator.microsoft.side import EXTENSION as GRAPH
from simulator.microsoft.side import GraphSide
from simulator.microsoft.subscriptions import OpenSubscription
from simulator.world import InvalidError, NotThereError
from simulator.world.contradictions import CONTRADICTIONS

SILENT = "removedSilently"


@control.get("/faults")
def list_faults() -> Reply:
    """Every switch with its value, what it means, and what each contradiction of a belief does."""
    with world().lock:
        faults = world().faults
        return jsonify(
            {"faults": faults.as_dict(), "meaning": faults.describe_all(), "contradictions": dict(CONTRADICTIONS)}
        )


@control.put("/faults")
def put() -> Reply:
    """Merge switches; `cursorExpired` and `lifecycle` act once, now."""
    sent = parse.body()
    acts = {name: sent.pop(name) for name in ("cursorExpired", "lifecycle") if name in sent}
    with world().lock:
        world().faults.put(sent)
        if acts.get("cursorExpired"):
            _expire(acts["cursorExpired"])
        if acts.get("lifecycle"):
            _lifecycle(acts["lifecycle"])
        return jsonify({"faults": world().faults.as_dict()})


@control.post("/subscriptions/<subscription_id>/lifecycle")
def lifecycle(subscription_id: str) -> tuple[Response, int]:
    """One lifecycle notification for one subscription, or its silent removal."""
    with world().lock:
        found = _graph().subscriptions.live(subscription_id)
        if found is None:
            message = f"no live subscription {subscription_id}"
            raise NotThereError(message)
        _act(found, parse.text(parse.body(), "kind"))
    return jsonify({}), 202


def _expire(wanted: Any) -> None:
    key = wanted.get("user") if isinstance(wanted, dict) else None
    world().feed.expire_cursors(world().directory.mailbox(key).id if key else None)


def _lifecycle(wanted: Any) -> None:
    if not isinstance(wanted, dict) or not wanted.get("kind"):
        message = 'lifecycle must be {"kind": ..., "user": id or address}'
        raise InvalidError(message)
    every = list(_graph().subscriptions.alive())
    if wanted.get("user"):
        mailbox_id = world().directory.mailbox(str(wanted["user"])).id
        every = [one for one in every if one.mailbox_id == mailbox_id]
    for one in every:
        _act(one, str(wanted["kind"]))


def _act(subscription: OpenSubscription, kind: str) -> None:
    if kind == SILENT:
        _graph().subscriptions.remove(subscription.id)
        return
    for known in LIFECYCLE_KINDS:
        if kind == known:
            _graph().notifier.lifecycle(subscription, known)
            return
    message = f"kind must be one of {', '.join((*LIFECYCLE_KINDS, SILENT))}"
    raise InvalidError(message)


def _graph() -> GraphSide:
    found: GraphSide = current_app.extensions[GRAPH]
    return found
