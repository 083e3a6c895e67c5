"""How late this machine wakes a thread: what a promised deadline has to be forgiven where other work runs beside the test."""

from __future__ import annotations

import threading
import time
from typing import Self

EVERY_S = 0.02
WAKINGS = 20
"""That many threads and processes take turns between a request and its answer."""


class Stalls:
    """Measures while it is open, in the process that also measures the answers."""

    def __init__(self) -> None:
        self._late: list[float] = []
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._note, daemon=True)

    @property
    def often_s(self) -> float:
        """Nineteen times of twenty it was no later than that."""
        return sorted(self._late)[int(len(self._late) * 0.95)] if self._late else 0.0

    @property
    def forgiven_s(self) -> float:
        """What to add to a deadline."""
        return self.often_s * WAKINGS

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _note(self) -> None:
        while not self._over.is_set():
            wished_s = time.monotonic() + EVERY_S
            time.sleep(EVERY_S)
            self._late.append(time.monotonic() - wished_s)
