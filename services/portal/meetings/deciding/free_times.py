"""At which times near a wanted one a meeting has its person and a suitable room free, within office hours. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.portal.meetings.deciding.choices import RoomCandidate
from shared.domain.instants import MINUTE_MS, SECOND_MS, from_datetime
from shared.domain.sighting import AgendaItem, Window

OFFICE_HOURS = range(8, 18)
"""Of the wall clock of whoever looks. No calendar system is asked for anybody's own hours."""
WORKING_DAYS = 5
"""So many are looked at: the day of the wanted time, or today, and those after it."""
GRID_MIN = 30
MOST_TIMES = 3
_WEEKEND = (5, 6)


@dataclass(frozen=True, slots=True)
class FreeTime:
    """A time at which the person and a room are free."""

    time: Window
    room: RoomCandidate


def days_to_look_at(wanted_ms: int, now_ms: int, zone: ZoneInfo) -> tuple[date, ...]:
    """The working days, Monday to Friday, on which a time near the wanted one may be proposed: those to come."""
    first = datetime.fromtimestamp(max(wanted_ms, now_ms) / SECOND_MS, tz=zone).date()
    days = (first + timedelta(days=n) for n in range(2 * WORKING_DAYS))
    return tuple(day for day in days if day.weekday() not in _WEEKEND)[:WORKING_DAYS]


def hours_of(days: Sequence[date], zone: ZoneInfo) -> Window:
    """From the beginning of the first day's office hours to the end of the last day's."""
    return Window(_at(days[0], OFFICE_HOURS.start, zone), _at(days[-1], OFFICE_HOURS.stop, zone))


def office_times(days: Iterable[date], length_ms: int, now_ms: int, zone: ZoneInfo) -> list[Window]:
    """Every half hour at which a meeting of that length can begin and end in office hours; nothing that is past."""
    found = []
    for day in days:
        start_ms, last_ms = _at(day, OFFICE_HOURS.start, zone), _at(day, OFFICE_HOURS.stop, zone) - length_ms
        found += [
            Window(at_ms, at_ms + length_ms)
            for at_ms in range(start_ms, last_ms + 1, GRID_MIN * MINUTE_MS)
            if at_ms > now_ms
        ]
    return found


def busy_times_of(items: Iterable[AgendaItem], event_id: str = "") -> list[Window]:
    """
    When a person is busy by their own calendar: what they have not declined, but for what lasts all day.

    Args:
        items: Of their agenda.
        event_id: The meeting that is to be moved: it is in nobody's way.
    """
    return [
        Window(item.start_ms, item.end_ms)
        for item in items
        if not item.declined and not item.all_day and item.event_id != event_id
    ]


def find_nearest(
    ranked: Sequence[RoomCandidate],
    said: Mapping[str, Sequence[Window] | None],
    own: Sequence[Window],
    times: Iterable[Window],
    wanted_ms: int,
) -> tuple[FreeTime, ...]:
    """
    Find the three times nearest to the wanted one, each with the first room in order that is free then.

    Args:
        ranked: Rooms that are large enough, best first.
        said: Room address (lower-cased) → when it is busy. None and absent are not free.
        own: When the person is busy.
        times: Those that may be proposed (`office_times`).
        wanted_ms: When the meeting was to begin.
    """
    found: list[FreeTime] = []
    for each in sorted(times, key=lambda time: (abs(time.start_ms - wanted_ms), time.start_ms)):
        if len(found) == MOST_TIMES:
            break
        room = None if overlaps(each, own) else next((one for one in ranked if _is_free(one, said, each)), None)
        if room is not None:
            found.append(FreeTime(each, room))
    return tuple(found)


def overlaps(time: Window, busy: Iterable[Window]) -> bool:
    """Whether any of these stretches has a moment in common with `time`."""
    return any(each.start_ms < time.end_ms and time.start_ms < each.end_ms for each in busy)


def _is_free(room: RoomCandidate, said: Mapping[str, Sequence[Window] | None], time: Window) -> bool:
    busy = said.get(room.room.address.lower())
    return busy is not None and not overlaps(time, busy)


def _at(day: date, hour: int, zone: ZoneInfo) -> int:
    return from_datetime(datetime.combine(day, time(hour), tzinfo=zone))
