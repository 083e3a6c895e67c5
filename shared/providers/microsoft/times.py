"""
The times of a Graph event: instants, and whole days where the event is held. Pure.

Source: learn.microsoft.com/graph/api/resources/event (read 2026-11-20): `originalStart` is an instant in UTC; an event with
`isAllDay` begins and ends at midnight of the zone it was made in (`originalStartTimeZone`, a Windows name as a rule). Users
report such an event's `start` as 00:00 whatever zone is preferred, and its `originalStart` as the instant of that midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.domain.days import date_name, day_of, instant_of_day
from shared.domain.instants import from_datetime, from_rfc3339
from shared.errors import MalformedRecordError
from shared.providers.microsoft import wire
from shared.providers.microsoft.windows_zones import zone_named

_NO_TIME = ("0001-", "4501-")  # Graph's way of saying that there is none
_UNREADABLE = (ValueError, OverflowError, OSError)


@dataclass(frozen=True, slots=True)
class Times:
    """When an event is: days as midnights UTC, and the instants they stand for where they are known."""

    start_ms: int
    end_ms: int
    begins_ms: int = 0
    ends_ms: int = 0


def times_of(event: wire.GraphEvent) -> Times:
    """Read start and end. Raises MalformedRecordError."""
    if event.start is None or event.end is None:
        message = f"event {event.id[:80]!r} has no start or no end"
        raise MalformedRecordError(message)
    start_ms, end_ms = _instant(event.start), _instant(event.end)
    return whole_days(start_ms, end_ms, _zone_of(event)) if event.is_all_day else Times(start_ms, end_ms)


def whole_days(start_ms: int, end_ms: int, zone: ZoneInfo | None) -> Times:
    """The days from one instant to another, and when they begin and end in `zone`. Raises MalformedRecordError."""
    try:
        first_ms, after_ms = day_of(start_ms, zone), day_of(end_ms, zone)
        if zone is None:
            return Times(first_ms, after_ms)
        return Times(first_ms, after_ms, instant_of_day(first_ms, zone), instant_of_day(after_ms, zone))
    except _UNREADABLE as error:
        message = f"the days from {start_ms} to {end_ms} are outside the calendar"
        raise MalformedRecordError(message) from error


def name_of_date(event: wire.GraphEvent, start_ms: int, *, all_day: bool) -> str:
    """
    Name a date of a series: its day where the series is all-day, its original start otherwise.

    A date that was never changed stands where it first stood, and delta says only its start.

    Args:
        event: An occurrence or an exception.
        start_ms: Its start as `times_of` reads it.
        all_day: Whether the series is all-day, whatever this date has become.

    Raises:
        MalformedRecordError: its original start cannot be read.
    """
    text = event.original_start or ""
    moved = bool(text) and not text.startswith(_NO_TIME)
    try:
        if not moved or (all_day and (event.type or "").lower() == "occurrence"):
            return date_name(start_ms, all_day=all_day)
        return date_name(from_rfc3339(text), all_day=all_day, zone=_zone_of(event))
    except _UNREADABLE as error:
        message = f"originalStart {text[:40]!r} of a date that starts at {start_ms} cannot be read"
        raise MalformedRecordError(message) from error


def _zone_of(event: wire.GraphEvent) -> ZoneInfo | None:
    return zone_named(event.original_start_time_zone or "")


def _instant(when: wire.DateTimeTimeZone) -> int:
    """Milliseconds since the epoch. We ask for UTC on every page; another zone is understood all the same."""
    zone = zone_named(when.time_zone or "UTC")
    try:
        moment = datetime.fromisoformat(when.date_time)
        if moment.tzinfo is None:
            if zone is None:
                message = f"the zone {when.time_zone!r} is not known"
                raise ValueError(message)
            moment = moment.replace(tzinfo=zone)
        return from_datetime(moment.astimezone(UTC))
    except _UNREADABLE as error:
        message = f"time {when.date_time[:40]!r} in zone {str(when.time_zone)[:40]!r} cannot be read"
        raise MalformedRecordError(message) from error
