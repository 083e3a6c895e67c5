"""What the Google side keeps beside the world, and how a view finds it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from simulator.google import administrators, resources
from simulator.google.channels import Channels
from simulator.google.cursors import Cursors
from simulator.google.events import Events
from simulator.google.history import GoneDates
from simulator.google.listing import EventList
from simulator.google.quota import Quota
from simulator.world import World

EXTENSION = "simulator.google"
CALENDAR = "/google/calendar/v3"
DIRECTORY = "/google/admin/directory/v1"
BATCH = "/google/batch/calendar/v3"


@dataclass(frozen=True, slots=True)
class GoogleSide:
    """One per app."""

    world: World
    events: Events
    listing: EventList
    channels: Channels
    quota: Quota

    @staticmethod
    def of(world: World) -> GoogleSide:
        """Built on a world; declares its switches and listens to its feed."""
        resources.declare(world)
        administrators.declare(world)
        listing = EventList(world, Cursors(world.ids.seed), GoneDates(world))
        return GoogleSide(world, Events(world), listing, Channels(world), Quota(world))


def side() -> GoogleSide:
    """The Google side of the app that serves the current request."""
    found: GoogleSide = current_app.extensions[EXTENSION]
    return found
