"""A world on a clock that stands still, with both OpenID providers mounted, and an HTTP client without a network."""

from __future__ import annotations

from collections.abc import Iterator

import flask
import httpx
import pytest

from simulator import identity
from simulator.world import ManualClock, World

BASE = "http://127.0.0.1:8103"


@pytest.fixture
def world() -> Iterator[World]:
    made = World(seed=7, clock=ManualClock())
    with made.lock:
        contoso = made.directory.add_tenant("microsoft", "Contoso", "contoso.example")
        made.directory.add_user(contoso.id, "Ada", "ada@contoso.example")
        made.directory.add_user(contoso.id, "Abe", "abe@contoso.example")
        gadget = made.directory.add_tenant("google", "Gadget", "gadget.example")
        made.directory.add_user(gadget.id, "Bo", "bo@gadget.example", "Europe/Amsterdam")
        made.directory.add_user(gadget.id, "Cy", "cy@gadget.example")
    yield made
    made.stop()


@pytest.fixture
def http(world: World) -> Iterator[httpx.Client]:
    app = flask.Flask("simulator-under-test")
    identity.register(app, world)
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url=BASE) as client:
        yield client
