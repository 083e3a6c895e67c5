"""The two clocks: the machine's, and a test's, which is one integer in a file shared by all processes of a run."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from shared.errors import ConfigurationError
from shared.ports.clock import Clock


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class SharedClock:
    """
    A file that holds one decimal integer, milliseconds since the epoch; the writer it moves time for every process.

    Raises ConfigurationError when the file is missing or does not hold an integer.
    """

    def __init__(self, path: Path) -> None:
        """Map the file: reading the time costs no system call."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                self._map = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
            finally:
                os.close(descriptor)
            self.now_ms()
        except (OSError, ValueError) as error:
            message = (
                f"ROOMSYNC_TEST_CLOCK={path}: must be a file of one integer, milliseconds since the epoch ({error})"
            )
            raise ConfigurationError(message) from error

    def now_ms(self) -> int:
        """Milliseconds since the epoch, as the test says."""
        return int(self._map[:])


def clock_from(test_clock: str) -> Clock:
    """The shared test clock if one is named, else the machine's."""
    return SharedClock(Path(test_clock)) if test_clock else SystemClock()
