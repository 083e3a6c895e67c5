"""Instants, days and durations as scenario files write them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cli.scenario.script import ScenarioError
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, from_rfc3339

_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?", re.ASCII)
_UNITS_MS = (DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS)


def moment_ms(text: str, now_ms: int) -> int:
    """
    Where a `clock` step leads: an instant (`2026-12-01T08:00:00Z`), or a duration from now (`PT1H`, `P2DT30M`).

    Raises:
        ScenarioError: it is neither.
    """
    duration = _DURATION.fullmatch(text)
    if duration and any(duration.groups()):
        parts = zip(duration.groups(), _UNITS_MS, strict=True)
        return now_ms + sum(int(count) * unit for count, unit in parts if count)
    return start_ms(text)


def start_ms(text: str) -> int:
    """
    The start that names a date: an instant, or a day (`2026-12-08`) for all-day dates, which is midnight UTC of that day.

    Raises:
        ScenarioError: it is neither.
    """
    try:
        if len(text) == len("2026-12-08"):
            return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_MS
        return from_rfc3339(text)
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is no instant (2026-12-01T08:00:00Z), day (2026-12-01) or duration (PT1H)"
        raise ScenarioError(message) from error
