"""
The names of the dates of a series, and the instants at which a day begins.

A date keeps its name whatever becomes of it: it is the day it was made for where the series is all-day, and the instant it was
made for otherwise. Both are written as RFC 3339 text in UTC; a day is written as its midnight.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from shared.domain.instants import DAY_MS, from_datetime, to_rfc3339


def date_name(original_start_ms: int, *, all_day: bool, zone: tzinfo | None = None) -> str:
    """
    Name a date of a series by where it first stood.

    Args:
        original_start_ms: The instant at which the date was first to begin, epoch milliseconds.
        all_day: Whether the series is of whole days, whatever this date has become.
        zone: Where an all-day series is held.

    Raises:
        ValueError, OverflowError, OSError: the instant is outside the calendar.
    """
    return to_rfc3339(day_of(original_start_ms, zone) if all_day else original_start_ms)


def day_of(at_ms: int, zone: tzinfo | None) -> int:
    """
    Find the day that begins at an instant, as its midnight UTC in epoch milliseconds.

    A provider writes such a day either as midnight UTC, which is kept, or as the instant of midnight in `zone`. Without a zone
    the nearest midnight UTC is taken: right from UTC-12 to UTC+11.
    """
    if at_ms % DAY_MS == 0:
        return at_ms
    if zone is None:
        return (at_ms + DAY_MS // 2) // DAY_MS * DAY_MS
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    return from_datetime(datetime(local.year, local.month, local.day, tzinfo=UTC))


def instant_of_day(day_ms: int, zone: tzinfo | None) -> int:
    """Find the instant at which a day (its midnight UTC, epoch milliseconds) begins in `zone`; None: in UTC."""
    if zone is None:
        return day_ms
    day = datetime.fromtimestamp(day_ms / 1000, UTC)
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone))
