"""Instants are integers, milliseconds since the epoch in UTC; these turn them into RFC 3339 text and back."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
_UP_TO_SECONDS = len("2026-11-20T09:30:00")


def to_rfc3339(at_ms: int) -> str:
    """`2026-11-20T09:30:00.000Z`."""
    moment = datetime.fromtimestamp(at_ms // SECOND_MS, tz=UTC)
    return f"{moment.isoformat()[:_UP_TO_SECONDS]}.{at_ms % SECOND_MS:03d}Z"


def from_rfc3339(text: str) -> int:
    """Milliseconds since the epoch. Raises ValueError; a time without an offset is read as UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return from_datetime(moment)


def from_datetime(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime, without the rounding of floats."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * DAY_MS + delta.seconds * SECOND_MS + delta.microseconds // SECOND_MS
