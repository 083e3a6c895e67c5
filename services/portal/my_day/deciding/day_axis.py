"""
Where the meetings of a day stand on an axis of hours: at their times, side by side where they overlap. Pure.

Office hours are in view on every day; what stands before or after them widens the axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.portal.meetings.deciding.free_times import OFFICE_HOURS
from services.portal.my_day.answers import ItemShape
from services.portal.my_day.deciding.zones import local
from shared.domain.instants import from_rfc3339

STEP_MIN = 5
"""Positions are multiples of this: the style sheet has a rule for each."""
SHORTEST_MIN = 20
"""What is shorter is drawn as long, so that its title can be read."""
MOST_LANES = 6
"""So many meetings stand side by side; how many more there are is said."""
HOUR_MIN = 60
DAY_MIN = 24 * HOUR_MIN


@dataclass(frozen=True, slots=True)
class AxisTime:
    """A time of day on the axis."""

    hour: int
    """0 to 24."""
    step: int
    """Of five minutes, 0 to 11."""


@dataclass(frozen=True, slots=True)
class AxisBlock:
    """A meeting on the axis."""

    number: int
    """Its position among the items of the day, from 0."""
    begins_min: int
    """Minutes since midnight on the wall clock, as drawn."""
    ends_min: int
    lane: int = 0
    """Its place among those that overlap, from 0."""
    lanes: int = 1
    """How many places there are."""

    @property
    def begins(self) -> AxisTime:
        """Where it begins."""
        return axis_time(self.begins_min)

    @property
    def ends(self) -> AxisTime:
        """Where it ends."""
        return axis_time(self.ends_min)


@dataclass(frozen=True, slots=True)
class DayAxis:
    """A day as an axis of hours."""

    hours: range
    """Those that are in view."""
    on_top: tuple[int, ...]
    """The items that last all day, by their positions among the items of the day."""
    blocks: tuple[AxisBlock, ...]
    """By time."""
    left_out: int
    """How many stand beside so many others that there is no place for them."""
    now: AxisTime | None
    """Where the line of now stands; None on other days."""


def lay_out_day(items: Sequence[ItemShape], day: date, zone: ZoneInfo, now_ms: int) -> DayAxis:
    """
    Place what stands on a day; `items` are those that touch it, in the order in which they are listed.

    Args:
        items: With their instants.
        day: Whose hours these are.
        zone: On whose wall clock.
        now_ms: Epoch milliseconds.
    """
    spans = {number: _span(each, day, zone) for number, each in enumerate(items) if not each["allDay"]}
    whole = {number for number, (begins, ends) in spans.items() if ends - begins >= DAY_MIN}
    on_top = tuple(number for number, each in enumerate(items) if each["allDay"] or number in whole)
    blocks = place([AxisBlock(number, *span) for number, span in spans.items() if number not in whole])
    shown = tuple(block for block in blocks if block.lane < MOST_LANES)
    now = local(now_ms, zone)
    now_min = _minutes(now) if now.date() == day else None
    return DayAxis(
        hours=_hours(shown, now_min),
        on_top=on_top,
        blocks=shown,
        left_out=len(blocks) - len(shown),
        now=None if now_min is None else axis_time(now_min),
    )


def place(blocks: Iterable[AxisBlock]) -> list[AxisBlock]:
    """Give each block the first lane that is free, and all that touch one another as many lanes as they need together."""
    placed: list[AxisBlock] = []
    together: list[AxisBlock] = []
    for block in sorted(blocks, key=lambda each: (each.begins_min, -each.ends_min, each.number)):
        if together and block.begins_min >= max(each.ends_min for each in together):
            placed += _share(together)
            together = []
        taken = {each.lane for each in together if each.ends_min > block.begins_min}
        free = next(lane for lane in range(len(together) + 1) if lane not in taken)
        together.append(replace(block, lane=free))
    return placed + _share(together)


def axis_time(minutes: int) -> AxisTime:
    """Minutes since midnight as a place on the axis."""
    return AxisTime(minutes // HOUR_MIN, minutes % HOUR_MIN // STEP_MIN)


def _share(together: Sequence[AxisBlock]) -> list[AxisBlock]:
    lanes = min(max((each.lane for each in together), default=0) + 1, MOST_LANES)
    return [replace(each, lanes=lanes) for each in together]


def _span(item: ItemShape, day: date, zone: ZoneInfo) -> tuple[int, int]:
    """From when to when it is drawn on that day: whole steps, not shorter than can be read, and within the day."""
    start, end = (local(from_rfc3339(item[name]), zone) for name in ("start", "end"))
    begins = _minutes(start) if start.date() == day else 0
    ends = _minutes(end) if end.date() == day else DAY_MIN
    begins = min(begins // STEP_MIN * STEP_MIN, DAY_MIN - SHORTEST_MIN)
    ends = -(-ends // STEP_MIN) * STEP_MIN
    return begins, max(ends, begins + SHORTEST_MIN)


def _minutes(moment: datetime) -> int:
    return moment.hour * HOUR_MIN + moment.minute


def _hours(blocks: Sequence[AxisBlock], now_min: int | None) -> range:
    moments = () if now_min is None else (now_min,)
    first = min(
        (OFFICE_HOURS.start, *(each.begins_min // HOUR_MIN for each in blocks), *(m // HOUR_MIN for m in moments))
    )
    last = max(
        (OFFICE_HOURS.stop, *(-(-each.ends_min // HOUR_MIN) for each in blocks), *(m // HOUR_MIN + 1 for m in moments))
    )
    return range(first, last)
