"""Actions that are due at a moment of the world's clock, run one at a time, in order of time and then of planning."""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable

from simulator.world.clock import AdjustableClock

_POLL_S = 0.05
"""The clock may be moved by another process through its file, so nobody tells us: look again this often."""


class Scheduler:
    """One thread runs what is due; without `start` the owner calls `run_due` (unit tests)."""

    def __init__(self, clock: AdjustableClock, lock: threading.RLock) -> None:
        self._clock = clock
        self._lock = lock
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def at(self, due_ms: int, action: Callable[[], None]) -> None:
        """Run `action` inside the world's lock as soon as the clock has reached `due_ms`; it must not block."""
        with self._lock:
            self._planned += 1
            heapq.heappush(self._due, (due_ms, self._planned, action))
        self._wake.set()

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Run `action` in `delay_ms` of the world's time."""
        self.at(self._clock.now_ms() + int(delay_ms), action)

    def run_due(self) -> int:
        """Run everything that is due, including what that plans for now; returns how many actions ran."""
        ran = 0
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > self._clock.now_ms():
                    return ran
                _, _, action = heapq.heappop(self._due)
                action()
                ran += 1

    @property
    def next_due_ms(self) -> int | None:
        """When the next action is due, in milliseconds since the epoch."""
        with self._lock:
            return self._due[0][0] if self._due else None

    def wake(self) -> None:
        """The clock was moved: look now."""
        self._wake.set()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="simulator-scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stopped = True
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped:
            try:
                self.run_due()
            except Exception:
                # One faulty action must not end the world's time; the trace says which.
                logging.getLogger(__name__).exception("a scheduled action failed")
            due = self.next_due_ms
            left_s = _POLL_S if due is None else min(_POLL_S, max(0.001, (due - self._clock.now_ms()) / 1000))
            self._wake.wait(left_s)
            self._wake.clear()
