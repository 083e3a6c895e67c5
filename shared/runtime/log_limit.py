"""A log that a flood cannot fill: at most one line a second of each kind, with the count of those left out."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

EVERY_S = 1.0
_KIND_CHARS = 20
"""Waitress fills some messages in before they reach the log: their beginning is the kind."""


class Limiter:
    """Lets one thing of each kind pass every `EVERY_S` and counts the others. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives monotonic seconds."""
        self._now = now
        self._passed_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}
        self._lock = threading.Lock()

    def passes(self, kind: str) -> int | None:
        """How many of this kind were left out since the last that passed; None when this one is left out itself."""
        with self._lock:
            now = self._now()
            if now - self._passed_at.get(kind, -math.inf) < EVERY_S:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return None
            self._passed_at[kind] = now
            return self._left_out.pop(kind, 0)


class LimitedLog:
    """
    Writes the first line of a kind at once, and the next after `EVERY_S` at the earliest. Thread-safe.

    A line's `left_out` says how many of its kind were not written since the one before; the metrics count all of them.
    The kind is the event's name, a literal in the code: there are as many as there are calls.
    """

    def __init__(self, log: FilteringBoundLogger, limiter: Limiter | None = None) -> None:
        self._log = log
        self._limiter = limiter or Limiter()

    def info(self, event: str, **fields: object) -> None:
        """Write a line of level info, unless one of its kind was written within the second."""
        self._write(self._log.info, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write a line of level warning, unless one of its kind was written within the second."""
        self._write(self._log.warning, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Write a line of level error, unless one of its kind was written within the second."""
        self._write(self._log.error, event, fields)

    def _write(self, write: Callable[..., object], event: str, fields: dict[str, object]) -> None:
        left_out = self._limiter.passes(event)
        if left_out is not None:
            write(event, **fields, **({"left_out": left_out} if left_out else {}))


class LimitedRecords(logging.Filter):
    """The same for a library's logger: a kind is a message before its arguments are filled in."""

    def __init__(self, limiter: Limiter | None = None) -> None:
        super().__init__()
        self._limiter = limiter or Limiter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; what it stands for is added to its text."""
        left_out = self._limiter.passes(record.msg.partition("%")[0][:_KIND_CHARS])
        if left_out:
            record.msg = f"{record.msg} ({left_out} more left out)"
        return left_out is not None
