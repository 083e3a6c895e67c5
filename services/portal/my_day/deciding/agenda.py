"""A person's agenda by day, and what is counted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from services.portal.my_day.deciding.zones import UTC_ZONE, days, local
from shared.domain.sighting import AgendaItem
from shared.language.deciding.sentences import say

COUNTING_RULE = say(
    "Counted is what you have not declined: each date of a series by itself, a meeting on the day it begins, and an "
    "all-day event once, on its first day."
)


@dataclass(frozen=True, slots=True)
class Day:
    """One day as the person lives it."""

    date: date
    items: tuple[AgendaItem, ...]
    meetings: int
    """As `COUNTING_RULE` says: what began before stands among the items without being counted again."""
    goes_on: tuple[AgendaItem, ...] = ()
    """What stands on an earlier of the days and is not over: without it a day in its midst would look empty."""


def by_day(items: Iterable[AgendaItem], first: date, count: int, zone: ZoneInfo) -> list[Day]:
    """
    Each of `count` days with what begins on it; what began before the first day stands on the first day.

    Args:
        zone: Whose days these are. An all-day event is on its own dates, wherever one is.
    """
    wanted = days(first, count)
    found: dict[date, list[AgendaItem]] = {day: [] for day in wanted}
    later: dict[date, list[AgendaItem]] = {day: [] for day in wanted}
    for item in items:
        begins, ends = span(item, zone)
        day = max(begins, first)
        if day in found and ends >= first:
            found[day].append(item)
            for other in wanted:
                if day < other <= ends:
                    later[other].append(item)
    return [
        Day(day, tuple(sorted(each, key=_order)), _counted(each, day, zone), tuple(sorted(later[day], key=_order)))
        for day, each in found.items()
    ]


def span(item: AgendaItem, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last day that an item touches, both included."""
    where = UTC_ZONE if item.all_day else zone
    begins = local(item.start_ms, where).date()
    last_ms = max(item.end_ms - 1, item.start_ms)
    return begins, local(last_ms, where).date()


def month_of(text: str, today: date) -> date:
    """The first day of the month `YYYY-MM`; of today's month for "". Raises ValueError."""
    if not text:
        return today.replace(day=1)
    return date.fromisoformat(f"{text}-01")


def weeks(month: date, counted: Sequence[Day], first_day: int = 0) -> list[list[Day | None]]:
    """A month's days in rows that begin on `first_day`, 0 for Monday; None before the first and after the last."""
    cells: list[Day | None] = [None] * ((month.weekday() - first_day) % 7) + list(counted)
    cells += [None] * (-len(cells) % 7)
    return [cells[row : row + 7] for row in range(0, len(cells), 7)]


def week_of(day: date, first_day: int = 0) -> date:
    """The day on which the week of `day` begins, where weeks begin on `first_day`, 0 for Monday."""
    return day - timedelta(days=(day.weekday() - first_day) % 7)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=32)).replace(day=1)


def _counted(items: Iterable[AgendaItem], day: date, zone: ZoneInfo) -> int:
    return sum(not item.declined and span(item, zone)[0] == day for item in items)


def _order(item: AgendaItem) -> tuple[bool, int, int, str]:
    return (not item.all_day, item.start_ms, item.end_ms, item.event_id)
