"""Which dates a daily or weekly series has, in the organiser's own time zone (so summer time keeps the hour)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from simulator.world.model import Instance, Meeting, Recurrence

MAX_COUNT = 366


def starts(recurrence: Recurrence, start_ms: int, time_zone: str) -> list[int]:
    """The original starts of all dates, first included, in milliseconds, ascending."""
    zone = ZoneInfo(time_zone)
    local = datetime.fromtimestamp(start_ms / 1000, zone)
    naive = local.replace(tzinfo=None)
    found: list[int] = []
    for day in _days(recurrence, naive):
        found.append(int(day.replace(tzinfo=zone).astimezone(UTC).timestamp() * 1000))
        if len(found) == min(recurrence.count, MAX_COUNT):
            break
    return found


def _days(recurrence: Recurrence, first: datetime) -> Iterator[datetime]:
    if recurrence.frequency == "daily":
        for n in range(MAX_COUNT):
            yield first + timedelta(days=n * recurrence.interval)
        return
    monday = first - timedelta(days=first.weekday())
    weekdays = sorted(recurrence.weekdays or (first.weekday(),))
    for week in range(MAX_COUNT):
        for weekday in weekdays:
            day = monday + timedelta(days=weekday, weeks=week * recurrence.interval)
            if day >= first:
                yield day


def instances(meeting: Meeting) -> list[Instance]:
    """Every date of the meeting, cancelled ones included, in order of their original starts."""
    if meeting.recurrence is None:
        return [
            Instance(
                meeting_id=meeting.id,
                original_start_ms=None,
                start_ms=meeting.start_ms,
                end_ms=meeting.end_ms,
                title=meeting.title,
                attendees=meeting.attendees,
                cancelled=meeting.cancelled,
                details=meeting.details,
            )
        ]
    return [_instance(meeting, key) for key in starts(meeting.recurrence, meeting.start_ms, meeting.time_zone)]


def _instance(meeting: Meeting, key: int) -> Instance:
    override = meeting.overrides.get(key)
    if override is None:
        return Instance(
            meeting_id=meeting.id,
            original_start_ms=key,
            start_ms=key,
            end_ms=key + meeting.end_ms - meeting.start_ms,
            title=meeting.title,
            attendees=meeting.attendees,
            details=meeting.details,
            cancelled=meeting.cancelled,
        )
    return Instance(
        meeting_id=meeting.id,
        original_start_ms=key,
        start_ms=override.start_ms,
        end_ms=override.end_ms,
        title=meeting.title if override.title is None else override.title,
        attendees=override.attendees,
        is_exception=True,
        cancelled=override.cancelled or meeting.cancelled,
        details={**meeting.details, **override.details},
    )
