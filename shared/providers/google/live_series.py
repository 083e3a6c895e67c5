"""A series at Google as it is now: the recurring event, its dates in a stretch of time, and which of them stand apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.sighting import LiveSeries
from shared.providers.google.parse import parse_live

_INHERITED = ("summary", "description", "location", "attendees", "visibility", "transparency", "guestsCanModify")
Json = Mapping[str, Any]


def parse_series(master: Json, dates: Sequence[Json]) -> LiveSeries:
    """
    Read a recurring event with some of its dates.

    Google marks no date as an exception; one is told by what it does not have in common with the recurring event: it was moved,
    or says something else.

    Raises:
        MalformedRecordError: one of them cannot be read.
    """
    apart = frozenset(str(date.get("id")) for date in dates if _stands_apart(date, master))
    return LiveSeries(parse_live(master), tuple(parse_live(date) for date in dates), apart)


def _stands_apart(date: Json, master: Json) -> bool:
    whole, first = parse_live(date), parse_live(master)
    moved = _instant(date.get("start")) != _instant(date.get("originalStartTime"))
    longer = whole.end_ms - whole.start_ms != first.end_ms - first.start_ms
    return moved or longer or any(date.get(name) != master.get(name) for name in _INHERITED)


def _instant(when: Any) -> str:
    """A date or a time with its offset; both of a date that did not move are written alike."""
    named: Json = when if isinstance(when, dict) else {}
    return str(named.get("dateTime") or named.get("date") or "")
