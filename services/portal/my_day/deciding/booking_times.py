"""Which times a booking form proposes, and what its buttons for lengths and times fill in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.portal.meetings.deciding.free_times import GRID_MIN, days_to_look_at, office_times, overlaps
from services.portal.meetings.deciding.room_filter import Condition
from services.portal.my_day.deciding.zones import local
from shared.domain.instants import MINUTE_MS
from shared.domain.sighting import Window

DURATIONS_MIN = (15, 30, 45, 60, 90, 120)
USUAL_MIN = 60
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)/(\d\d:\d\d)/(\d\d:\d\d)")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class FormTime:
    """A date, a beginning and an end as a form has them, on the wall clock of its zone."""

    date: str
    begins: str
    ends: str

    @property
    def value(self) -> str:
        """As a button sends it."""
        return f"{self.date}/{self.begins}/{self.ends}"


def form_time(span: Window, zone: ZoneInfo) -> FormTime | None:
    """Write a time for a form; None for one that ends on another day, which a form cannot say."""
    start, end = local(span.start_ms, zone), local(span.end_ms, zone)
    if start.date() != end.date():
        return None
    return FormTime(start.date().isoformat(), f"{start:%H:%M}", f"{end:%H:%M}")


def next_half_hour(now_ms: int, zone: ZoneInfo, minutes: int = USUAL_MIN) -> FormTime:
    """Propose the next round half hour to come; of tomorrow's office hours where today has none any more."""
    now = local(now_ms, zone)
    start = now.replace(minute=0, second=0, microsecond=0)
    while start <= now:
        start += timedelta(minutes=GRID_MIN)
    if start.date() != (start + timedelta(minutes=minutes)).date():
        start = datetime.combine(start.date() + timedelta(days=start.date() == now.date()), time(9), tzinfo=zone)
    end = start + timedelta(minutes=minutes)
    return FormTime(start.date().isoformat(), f"{start:%H:%M}", f"{end:%H:%M}")


def find_first_gap(busy: Sequence[Window], now_ms: int, zone: ZoneInfo, minutes: int = USUAL_MIN) -> FormTime | None:
    """Find the first time in office hours at which the person has nothing; None where all the next days are full."""
    times = office_times(days_to_look_at(now_ms, now_ms, zone), minutes * MINUTE_MS, now_ms, zone)
    found = next((each for each in times if not overlaps(each, busy)), None)
    return form_time(found, zone) if found else None


def fill_in(sent: Mapping[str, Any]) -> dict[str, Any]:
    """
    Put what a button says into the fields of the form: `time` into date, beginning and end, `minutes` into the end.

    `without` empties the filters that it names.

    What cannot be read is left out, and a meeting that would end on the next day keeps its end: the form says what is wrong.
    """
    dropped = set(str(sent.get("without", "")).split()) & set(Condition)
    filled = {name: value for name, value in sent.items() if name not in {"time", "minutes", "without", *dropped}}
    chosen, minutes = _TIME.fullmatch(str(sent.get("time", ""))), str(sent.get("minutes", ""))
    if chosen:
        filled |= dict(zip(("date", "from", "to"), chosen.groups(), strict=True))
    elif minutes.isascii() and minutes.isdigit() and int(minutes[:4]) in DURATIONS_MIN:
        filled["to"] = _later(str(filled.get("from", "")), int(minutes)) or filled.get("to", "")
    return filled


def lengths(sent: Mapping[str, Any]) -> Iterable[tuple[int, bool]]:
    """Each length in minutes that a button has, and whether the form says it now."""
    begins, ends = str(sent.get("from", "")), str(sent.get("to", ""))
    return [(each, bool(ends) and _later(begins, each) == ends) for each in DURATIONS_MIN]


def _later(clock: str, minutes: int) -> str:
    if not _CLOCK.fullmatch(clock):
        return ""
    begins = datetime.combine(date(2000, 1, 1), time.fromisoformat(clock))
    ends = begins + timedelta(minutes=minutes)
    return f"{ends:%H:%M}" if ends.date() == begins.date() else ""
