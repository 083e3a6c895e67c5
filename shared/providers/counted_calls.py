"""Counts the requests to calendars that a stretch of work sends, on its own thread: a budget is charged with what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class CallCount:
    """How many requests have been sent so far, failed ones included."""

    calls: int = 0


_counts: ContextVar[CallCount | None] = ContextVar("calendar_calls", default=None)


@contextmanager
def count_calls() -> Iterator[CallCount]:
    """Count the requests that this thread sends within the block; of nested blocks the innermost counts."""
    count = CallCount()
    before = _counts.set(count)
    try:
        yield count
    finally:
        _counts.reset(before)


def note_call() -> None:
    """A request to a calendar is about to be sent. Costs nothing where nobody counts."""
    count = _counts.get()
    if count is not None:
        count.calls += 1
