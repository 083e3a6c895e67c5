"""The day of a room as a strip: when it is asked for, and how it answered; never whose or what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from services.portal.my_day.deciding.zones import days, local, midnight_ms
from shared.contracts.meeting_state import RoomRecord, RoomState
from shared.domain.instants import HOUR_MS, to_rfc3339

WIDTH, HEIGHT, FOOT = 480, 48, 18
"""Of the drawing, in its own units: a page scales it. The hours stand in the foot."""
SHOWN = (RoomState.ACCEPTED, RoomState.PENDING, RoomState.DECLINED)
LABEL_HOURS = 3


@dataclass(frozen=True, slots=True)
class StripSlot:
    """A time at which the room is asked for."""

    x: float
    y: float
    width: float
    height: float
    state: RoomState


@dataclass(frozen=True, slots=True)
class StripHour:
    """An hour below the strip."""

    x: float
    text: str
    anchor: str
    """Where its text begins: the first stands to the right of its line."""


@dataclass(frozen=True, slots=True)
class AskedTime:
    """The same time for the table beside the strip."""

    start: str
    end: str
    all_day: bool
    """Whether it covers the whole day that is shown."""
    state: RoomState


@dataclass(frozen=True, slots=True)
class DayStrip:
    """The drawing of one room's day, and what it shows in words."""

    slots: Sequence[StripSlot]
    hours: Sequence[StripHour]
    times: Sequence[AskedTime]
    now: float | None
    """Where the line of the present stands; None on another day."""
    width: int = WIDTH
    height: int = HEIGHT
    foot: int = FOOT


def lay_out_day(day: date, zone: ZoneInfo, asked: Iterable[RoomRecord], now_ms: int) -> DayStrip:
    """
    Lay out when a room is asked for on `day` as the clocks of `zone` show it: a day of 23 or 25 hours is one as well.

    Times that are held, or may be, fill the strip; one that was declined is not held, and stands at its foot.
    """
    begins, ends = (midnight_ms(each, zone) for each in days(day, 2))
    found = sorted(
        (each for each in asked if each.state in SHOWN and each.start_ms < ends and each.end_ms > begins),
        key=lambda each: (each.start_ms, each.end_ms, each.state),
    )

    def place(at_ms: int) -> float:
        return round((min(max(at_ms, begins), ends) - begins) / (ends - begins) * WIDTH, 1)

    return DayStrip(
        slots=[_slot(each.state, place(each.start_ms), place(each.end_ms)) for each in found],
        hours=[_hour(place(at_ms), local(at_ms, zone).hour) for at_ms in range(begins, ends, LABEL_HOURS * HOUR_MS)],
        times=[
            AskedTime(
                to_rfc3339(each.start_ms),
                to_rfc3339(each.end_ms),
                each.start_ms <= begins and each.end_ms >= ends,
                each.state,
            )
            for each in found
        ],
        now=place(now_ms) if begins <= now_ms < ends else None,
    )


def _hour(x: float, hour: int) -> StripHour:
    return StripHour(x, f"{hour:02d}", "middle" if x else "start")


def _slot(state: RoomState, start: float, end: float) -> StripSlot:
    full = HEIGHT - FOOT
    height = full / 3 if state is RoomState.DECLINED else full
    return StripSlot(start, round(full - height, 1), max(round(end - start, 1), 2.0), round(height, 1), state)
