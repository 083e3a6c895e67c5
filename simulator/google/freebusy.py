"""`freeBusy.query`: merged busy times; a calendar one may not see is an error with an empty list, never a free one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.google.access import sees_busy
from simulator.google.errors import invalid, required
from simulator.google.times import read_rfc3339, seconds_text, utc_text, zone_of
from simulator.world import BusyTime, User, World

MOST_CALENDARS = 50
LONGEST_SPAN_MS = 92 * 86_400_000
"""About three months; Google publishes no figure but refuses long spans."""


def query(world: World, user: User, sent: Mapping[str, Any]) -> dict[str, Any]:
    """
    Answer one query. Called inside the world's lock.

    Raises:
        ApiError: 400 for missing or impossible times, or too many calendars asked for by the caller's own limit.
    """
    start_ms, end_ms = _span(sent)
    zone = zone_of(str(sent.get("timeZone") or "UTC")).key
    usual = 20 if world.faults.contradicts("google.free-busy-fifty") else MOST_CALENDARS
    most = int(sent.get("calendarExpansionMax") or usual)
    if most > MOST_CALENDARS:
        invalid(f"calendarExpansionMax may be at most {MOST_CALENDARS}.", "calendarExpansionMax")
    items = [str(item.get("id", "")) for item in sent.get("items") or []]
    calendars = {}
    for number, calendar_id in enumerate(items):
        mailbox = sees_busy(world, user, calendar_id)
        if number >= most:
            calendars[calendar_id] = _failure("tooManyCalendarsRequested")
        elif mailbox is None:
            hidden = world.faults.contradicts("google.free-busy-unknown")
            calendars[calendar_id] = {"busy": []} if hidden else _failure("notFound")
        else:
            busy = merge_busy(world.calendar.busy(mailbox.address, start_ms, end_ms))
            clipped = ((max(start, start_ms), min(end, end_ms)) for start, end in busy)
            calendars[calendar_id] = {
                "busy": [{"start": seconds_text(a, zone), "end": seconds_text(b, zone)} for a, b in clipped]
            }
    return {
        "kind": "calendar#freeBusy",
        "timeMin": utc_text(start_ms),
        "timeMax": utc_text(end_ms),
        "calendars": calendars,
    }


def merge_busy(busy: Iterable[BusyTime]) -> list[tuple[int, int]]:
    """Stretches [start, end) in ms, ascending, with touching ones joined."""
    found: list[tuple[int, int]] = []
    for one in sorted(busy, key=lambda each: each.start_ms):
        if found and one.start_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], one.end_ms))
        elif one.end_ms > one.start_ms:
            found.append((one.start_ms, one.end_ms))
    return found


def _span(sent: Mapping[str, Any]) -> tuple[int, int]:
    for name in ("timeMin", "timeMax"):
        if not sent.get(name):
            required(name)
    zone = str(sent.get("timeZone") or "UTC")
    start_ms = read_rfc3339(str(sent["timeMin"]), "timeMin", zone)
    end_ms = read_rfc3339(str(sent["timeMax"]), "timeMax", zone)
    if end_ms <= start_ms:
        invalid("The specified time range is empty.", "timeMax")
    if end_ms - start_ms > LONGEST_SPAN_MS:
        invalid("The requested time range is too long.", "timeMax")
    return start_ms, end_ms


def _failure(reason: str) -> dict[str, Any]:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}
