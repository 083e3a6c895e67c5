"""A clock that a test owns: it goes like the real one, in a file that every process of the run maps, and can jump."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Self

TICK_S = 0.005


class TickingClock:
    """Use as a context: it ticks until the end."""

    def __init__(self, path: Path) -> None:
        """Begins at the real time, since certificates and browsers go by that."""
        self.path = path
        self._offset_ms = 0
        path.write_text(self._text())
        self._file = os.open(path, os.O_WRONLY)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._file)

    def now_ms(self) -> int:
        """What the clock says."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def jump(self, by_ms: int) -> None:
        """At once, for everybody."""
        self._offset_ms += by_ms
        self._write()

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            self._write()

    def _write(self) -> None:
        os.pwrite(self._file, self._text().encode(), 0)

    def _text(self) -> str:
        return str(self.now_ms()).zfill(15)
