"""Time is asked of a Clock; deciding takes `now_ms` as an argument."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The one source of time that decisions see. Waits are "wake, or 50 ms, then compare"."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...
