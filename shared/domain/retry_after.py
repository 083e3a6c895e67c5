"""When a server says "later": its appointment in seconds, however it spelled it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from shared.domain.instants import DAY_MS, SECOND_MS

LONGEST_S = DAY_MS / SECOND_MS
"""Whoever answers may write any number, and sums with one like 1e308 leave what an instant can hold."""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """
    Read `Retry-After`: whole seconds, fractional seconds (Graph's own sample is 2.128) or an HTTP date.

    A date is measured against the answer's own `Date`, so that a wrong clock here does not matter.

    Returns:
        Seconds from the answer on, never negative nor more than a day's; None when absent or unreadable.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    text = lower.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, lower.get("date", ""))
    return _bounded(seconds) if math.isfinite(seconds) else None


def _until(date: str, now: str) -> float | None:
    try:
        wait = (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError):
        return None
    return _bounded(wait)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S)
