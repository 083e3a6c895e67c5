"""RFC 5545 recurrence lines to and from the world's daily and weekly series. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.google.errors import invalid
from simulator.google.times import DAY_MS, read_rfc3339
from simulator.world import Recurrence
from simulator.world.recurrence import MAX_COUNT, starts

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN = {"FREQ", "COUNT", "UNTIL", "INTERVAL", "BYDAY", "WKST"}


def parse_recurrence(lines: Sequence[str], start_ms: int, zone: str) -> Recurrence | None:
    """
    One RRULE with FREQ=DAILY or WEEKLY; no lines mean no series. Without COUNT or UNTIL a series has 366 dates.

    Raises:
        ApiError: 400 for anything else the world cannot repeat.
    """
    if not lines:
        return None
    if len(lines) != 1 or not lines[0].startswith("RRULE:"):
        invalid("The simulator repeats events by exactly one RRULE line.", "recurrence")
    parts = dict(part.split("=", 1) for part in lines[0].removeprefix("RRULE:").split(";") if "=" in part)
    frequency = parts.get("FREQ", "").lower()
    if set(parts) - _KNOWN or frequency not in {"daily", "weekly"}:
        invalid(f"Invalid recurrence rule: {lines[0]}", "recurrence")
    days = tuple(_DAYS.index(day) for day in parts.get("BYDAY", "").split(",") if day in _DAYS)
    interval = _positive(parts.get("INTERVAL", "1"))
    if "UNTIL" not in parts:
        return _make_recurrence(frequency, _positive(parts.get("COUNT", str(MAX_COUNT))), interval, days)
    until_ms = _until(parts["UNTIL"], zone)
    every = _make_recurrence(frequency, MAX_COUNT, interval, days)
    count = sum(1 for one in starts(every, start_ms, zone) if one <= until_ms)
    return _make_recurrence(frequency, max(count, 1), interval, days)


def write_recurrence(recurrence: Recurrence) -> list[str]:
    """As Google returns it."""
    parts = [f"FREQ={recurrence.frequency.upper()}"]
    if recurrence.interval != 1:
        parts.append(f"INTERVAL={recurrence.interval}")
    parts.append(f"COUNT={recurrence.count}")
    if recurrence.weekdays:
        parts.append("BYDAY=" + ",".join(_DAYS[day] for day in recurrence.weekdays))
    return ["RRULE:" + ";".join(parts)]


def _make_recurrence(frequency: str, count: int, interval: int, days: tuple[int, ...]) -> Recurrence:
    if frequency == "daily":
        return Recurrence("daily", min(count, MAX_COUNT), interval)
    return Recurrence("weekly", min(count, MAX_COUNT), interval, days)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        invalid(f"Invalid recurrence rule: {text} is not a positive number.", "recurrence")
    return int(text)


def _until(text: str, zone: str) -> int:
    day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    if "T" not in text:
        return read_rfc3339(f"{day}T00:00:00", "recurrence", zone) + DAY_MS - 1
    clock = text[9:15]
    suffix = "+00:00" if text.endswith("Z") else ""
    return read_rfc3339(f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}{suffix}", "recurrence", zone)
