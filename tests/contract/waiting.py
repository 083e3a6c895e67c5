"""Waiting for what becomes true soon: poll until a deadline, never sleep and hope."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(holds: Callable[[], object], *, within_s: float) -> None:
    """Return once `holds()` is true; fail with its last answer when `within_s` seconds have passed."""
    deadline_s = time.monotonic() + within_s
    while not (answer := holds()):
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {holds} says {answer!r}"
        time.sleep(0.02)


def the_next_millisecond() -> None:
    """Let the machine's clock move on, for engines that stamp records with it."""
    start_ms = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= start_ms + 1:
        time.sleep(0.001)
