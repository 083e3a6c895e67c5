"""My day: the agenda and the month, where one works and attends from, and booking a room; each as a page and as JSON."""

from __future__ import annotations

from flask import Blueprint

from services.portal.deps import Deps
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_day import agenda_routes, booking_routes, place_routes


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The routes of `/day`, `/month` and `/book`, and theirs below `/v1/me`."""
    bp = Blueprint("my-day", __name__)
    agenda_routes.add(bp, deps, reader)
    place_routes.add(bp, deps)
    booking_routes.add(bp, deps, reader)
    return bp
