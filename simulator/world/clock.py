"""The simulator's clocks: the machine's with an offset, a test's shared file, and one moved by hand."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol


class AdjustableClock(Protocol):
    """One source of time that can be moved forward."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    def set_ms(self, now_ms: int) -> None:
        """Make it `now_ms` now."""
        ...


class OffsetClock:
    """The machine's clock plus an offset that `set_ms` changes."""

    def __init__(self) -> None:
        self._offset_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def set_ms(self, now_ms: int) -> None:
        """Shift the offset; time goes on running."""
        self._offset_ms += now_ms - self.now_ms()


class FileClock:
    """One decimal integer in a file that several processes map; written in place, never resized."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR)
        self._width = os.fstat(self._descriptor).st_size
        self.now_ms()

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as the file says."""
        return int(os.pread(self._descriptor, self._width, 0))

    def set_ms(self, now_ms: int) -> None:
        """Write in place, zero-padded to the same width: other processes hold a map of the file."""
        text = str(now_ms).zfill(self._width).encode()
        if len(text) != self._width:
            message = f"{now_ms} does not fit the clock file of {self._width} characters: make the file wider"
            raise ValueError(message)
        os.pwrite(self._descriptor, text, 0)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as last set."""
        return self._now_ms

    def set_ms(self, now_ms: int) -> None:
        """Make it `now_ms` now."""
        self._now_ms = now_ms


def clock_from(test_clock: str) -> AdjustableClock:
    """The file named by ROOMSYNC_TEST_CLOCK, else the machine's clock with an offset."""
    return FileClock(Path(test_clock)) if test_clock else OffsetClock()
