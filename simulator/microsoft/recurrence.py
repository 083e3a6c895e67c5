"""Graph's patternedRecurrence to and from the world's simple series."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NoReturn

from simulator.microsoft.errors import GraphError
from simulator.world import Meeting, Recurrence
from simulator.world.recurrence import MAX_COUNT

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS_A_WEEK = 7


def parse_recurrence(value: object, start_ms: int) -> Recurrence | None:
    """Read a patternedRecurrence: daily or weekly, with a number or an end date. Raises GraphError 400."""
    if value is None:
        return None
    if not isinstance(value, dict):
        _refuse("recurrence must be an object")
    pattern, limits = value.get("pattern") or {}, value.get("range") or {}
    frequency = pattern.get("type")
    if frequency not in {"daily", "weekly"}:
        _refuse("only daily and weekly patterns are simulated")
    interval = int(pattern.get("interval") or 1)
    days = tuple(_WEEKDAYS.index(day.lower()) for day in pattern.get("daysOfWeek") or [])
    return Recurrence(frequency, _count(limits, start_ms, frequency, interval, days), interval, days)


def write_recurrence(meeting: Meeting) -> dict[str, Any] | None:
    """The patternedRecurrence of a meeting."""
    series = meeting.recurrence
    if series is None:
        return None
    first = datetime.fromtimestamp(meeting.start_ms / 1000, UTC)
    days = series.weekdays or (first.weekday(),)
    pattern: dict[str, Any] = {"type": series.frequency, "interval": series.interval}
    if series.frequency == "weekly":
        pattern |= {"daysOfWeek": [_WEEKDAYS[day] for day in days], "firstDayOfWeek": "monday"}
    return {
        "pattern": pattern,
        "range": {
            "type": "numbered",
            "startDate": first.date().isoformat(),
            "numberOfOccurrences": series.count,
            "recurrenceTimeZone": meeting.time_zone,
        },
    }


def _count(limits: dict[str, Any], start_ms: int, frequency: str, interval: int, days: tuple[int, ...]) -> int:
    if limits.get("type") == "numbered":
        return min(int(limits.get("numberOfOccurrences") or 1), MAX_COUNT)
    if limits.get("type") == "noEnd":
        return MAX_COUNT
    try:
        last = date.fromisoformat(str(limits.get("endDate")))
    except ValueError:
        _refuse("range needs endDate or numberOfOccurrences")
    span = (last - datetime.fromtimestamp(start_ms / 1000, UTC).date()).days
    if frequency == "daily":
        return max(1, min(span // interval + 1, MAX_COUNT))
    return max(1, min((span // (_DAYS_A_WEEK * interval) + 1) * max(1, len(days)), MAX_COUNT))


def _refuse(why: str) -> NoReturn:
    raise GraphError(400, "ErrorPropertyValidationFailure", f"recurrence: {why}.")
