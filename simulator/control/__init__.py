"""The API through which people and tests drive the simulator and read what really happened."""

from __future__ import annotations

from flask import Flask

import simulator.control.faults
import simulator.control.listings  # noqa: F401  (both add their routes)
from simulator.control.routes import EXTENSION, control, health
from simulator.world import World

__all__ = ["register"]


def register(app: Flask, world: World) -> None:
    """Serve `/sim/v1`, `/livez` and `/readyz`."""
    app.extensions[EXTENSION] = world
    app.register_blueprint(control)
    app.register_blueprint(health)
