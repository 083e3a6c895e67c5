"""What the Graph side keeps beside the world, and how a view finds it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from simulator.microsoft.notifier import Notifier
from simulator.microsoft.rounds import Rounds
from simulator.microsoft.subscriptions import Subscriptions
from simulator.world import World

EXTENSION = "simulator.microsoft"
BASE = "/microsoft/graph/v1.0"


@dataclass(frozen=True, slots=True)
class GraphSide:
    """One per app."""

    world: World
    subscriptions: Subscriptions
    rounds: Rounds
    notifier: Notifier


def side() -> GraphSide:
    """The Graph side of the app that serves the current request."""
    found: GraphSide = current_app.extensions[EXTENSION]
    return found
