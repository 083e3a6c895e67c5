"""Days and wall clocks in the zone of whoever looks. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.instants import SECOND_MS, from_datetime
from shared.language.deciding.sentences import say

UTC_ZONE = ZoneInfo("UTC")
_MAX_CHARS = 64


class NoSuchTimeError(ValueError):
    """The clocks are put forward over this time: it does not exist on that day."""


def zone_from(name: str) -> ZoneInfo | None:
    """The zone that a browser names (`Europe/Zurich`); None for anything that is not one."""
    if not 0 < len(name) <= _MAX_CHARS:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    """An instant on the wall clock of `zone`."""
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=zone)


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """When a day begins there."""
    return from_datetime(datetime.combine(day, time(), tzinfo=zone))


def instant_ms(day: date, clock: time, zone: ZoneInfo) -> int:
    """
    When the wall clock of `zone` shows `clock` on `day`; the first time, where it does so twice.

    Raises:
        NoSuchTimeError: it never does.
    """
    moment = datetime.combine(day, clock, tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        message = say("{clock} does not exist on {day}: the clocks are put forward over it").format(
            clock=f"{clock:%H:%M}", day=day.isoformat()
        )
        raise NoSuchTimeError(message)
    return from_datetime(moment)


def days(first: date, count: int) -> list[date]:
    """`count` days in a row."""
    return [first + timedelta(days=n) for n in range(count)]
