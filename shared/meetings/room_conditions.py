"""
The conditions by which requests of rooms are counted: what booking rules go by, and nothing of what a meeting is about. Pure.

Rooms' rules cannot be read. What can be seen is which requests a room accepts: whether short ones, near ones, in office hours.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime

from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

DURATIONS_MS = (30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, DAY_MS)
"""Ends of the ranges of durations; longer ones are one more range."""
LEADS_MS = (DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 30 * DAY_MS, 60 * DAY_MS, 90 * DAY_MS, 180 * DAY_MS)
"""Ends of the ranges of how long ahead a room is asked; longer ones are one more range."""
HOURS = 3
"""Of a day in UTC that are counted together."""
WAITS_S = (
    2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 172_800, 345_600,
)  # fmt: skip
"""Ends of the ranges of how long an answer takes, in seconds; what takes longer is in the last."""


def conditions_of(start_ms: int, end_ms: int, asked_at_ms: int, *, series: bool) -> tuple[str, ...]:
    """
    Name the conditions of a request: of its duration, how long ahead it is made, its hour and day, and whether it is of a series.

    Args:
        start_ms: When it begins, epoch milliseconds.
        end_ms: When it ends.
        asked_at_ms: When the room was asked.
        series: Whether the meeting has several dates.
    """
    begins = datetime.fromtimestamp(start_ms // SECOND_MS, tz=UTC)
    return (
        f"duration-{bisect_left(DURATIONS_MS, end_ms - start_ms)}",
        f"lead-{bisect_left(LEADS_MS, start_ms - asked_at_ms)}",
        f"hour-{begins.hour // HOURS}",
        f"day-{begins.weekday()}",
        "series" if series else "single",
    )


def wait_of(wait_ms: int) -> str:
    """Name the range that a wait for an answer lies in, by its end in seconds."""
    return str(WAITS_S[min(bisect_left(WAITS_S, wait_ms / SECOND_MS), len(WAITS_S) - 1)])


def kind_of(condition: str) -> str:
    """What a condition is about: `duration`, `lead`, `hour`, `day`, `series` or `single`."""
    return condition.partition("-")[0]
