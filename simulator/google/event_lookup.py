"""An event id of one calendar, found: a single event, a series, or one date of a series; alive or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.google.errors import condition_not_met, not_found
from simulator.google.render import GoogleRenderer
from simulator.google.times import split_instance_id, split_opaque_id
from simulator.world import Copy, Instance, Mailbox, Meeting, NotThereError, World
from simulator.world.recurrence import instances


@dataclass(frozen=True, slots=True)
class Found:
    """A copy and, for a date of a series, that date (`key` is its original start)."""

    copy: Copy
    meeting: Meeting
    alive: bool
    date: Instance | None = None

    @property
    def key(self) -> int | None:
        """What names the date among its series; None for the whole."""
        return self.date.original_start_ms if self.date else None

    def render(self, renderer: GoogleRenderer) -> dict[str, Any]:
        """The event resource, cancelled if it is not alive."""
        if self.date is None:
            make = renderer.whole if self.alive else renderer.cancelled
            return make(self.copy, self.meeting)
        if self.alive:
            return renderer.instance(self.copy, self.meeting, self.date)
        return renderer.cancelled_instance(self.copy, self.meeting, self.key or 0)


def find(world: World, mailbox: Mailbox, event_id: str) -> Found:
    """Look an event up, deleted ones included. Raises ApiError 404."""
    whole = _whole(world, mailbox, event_id)
    if whole is not None:
        return whole
    parts = split_instance_id(event_id) or split_opaque_id(event_id)
    series = _whole(world, mailbox, parts[0]) if parts else None
    if series is None:
        not_found()
    renderer = GoogleRenderer(world, mailbox)
    held = {date.key for date in world.calendar.dates(series.copy)} if series.alive else set()
    for date in instances(series.meeting):
        if date.key is not None and renderer.instance_id(series.copy, series.meeting, date.key) == event_id:
            return Found(series.copy, series.meeting, date.key in held and not date.cancelled, date)
    return not_found()


def _whole(world: World, mailbox: Mailbox, event_id: str) -> Found | None:
    try:
        copy, meeting = world.calendar.copy(mailbox.id, event_id)
    except NotThereError:
        removed = world.calendar.removed(mailbox.id, event_id)
        return Found(removed, world.calendar.meetings[removed.meeting_id], alive=False) if removed else None
    return Found(copy, meeting, alive=True)


def check_etag(found: Found, renderer: GoogleRenderer, if_match: str | None) -> None:
    """Raises ApiError 412 when the caller knows another version."""
    if renderer.contradicts("if-match"):
        return
    if if_match and if_match != "*" and if_match != found.render(renderer)["etag"]:
        condition_not_met()
