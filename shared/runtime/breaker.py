"""
A breaker per lane (for the log: per partition): after a failure, callers are answered at once instead of waiting again.

An open lane is not tried by anybody's request. A background probe asks whether the dependency is there at all: while it is
not, nobody passes on any lane; when it is, one caller may pass and try the open lane (one of three brokers can be away
while the others answer the probe). From the first failure until the first probe has answered nobody passes either: whoever
had to queue for a thread would otherwise wait a second time, on a lane that nobody has tried yet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable
from enum import Enum
from typing import TypeVar

from shared.errors import LogUnavailableError
from shared.runtime import metrics
from shared.runtime.logging import get_logger

T = TypeVar("T")

_log = get_logger()


class Lane(Enum):
    """Where one lane stands."""

    CLOSED = "closed"
    """Everybody passes."""
    OPEN = "open"
    """Nobody passes."""
    HALF_OPEN = "half-open"
    """The probe succeeded: the next caller passes, as a trial."""
    TRIAL = "trial"
    """One caller is trying; the others wait for what becomes of it, outside."""


class Happening(Enum):
    """What can happen to a lane."""

    ADMITTED = "admitted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PROBED = "probed"
    """The probe succeeded."""


_TRANSITIONS = {
    (Lane.CLOSED, Happening.FAILED): Lane.OPEN,
    (Lane.OPEN, Happening.PROBED): Lane.HALF_OPEN,
    (Lane.HALF_OPEN, Happening.ADMITTED): Lane.TRIAL,
    (Lane.HALF_OPEN, Happening.FAILED): Lane.OPEN,
    (Lane.TRIAL, Happening.SUCCEEDED): Lane.CLOSED,
    (Lane.TRIAL, Happening.FAILED): Lane.OPEN,
}


def after(lane: Lane, happening: Happening) -> Lane:
    """Where a lane stands after `happening`. Pure; what the table does not name changes nothing."""
    return _TRANSITIONS.get((lane, happening), lane)


def admits(lane: Lane) -> bool:
    """Whether a caller may pass."""
    return lane in (Lane.CLOSED, Lane.HALF_OPEN)


class Breaker:
    """The lanes, a lock, and a thread that probes while any lane is open. Thread-safe."""

    def __init__(self, name: str, probe: Callable[[], object], *, probe_every_s: float = 0.25) -> None:
        """
        Start with every lane closed.

        Args:
            name: For metrics and logs.
            probe: Raises when the dependency cannot be reached; called by one background thread.
            probe_every_s: Seconds between two probes.
        """
        self.name = name
        self._probe = probe
        self._probe_every_s = probe_every_s
        self._lanes: dict[Hashable, Lane] = {}  # lanes not named are closed
        self._away = False  # by the latest probe; suspected until the first one has answered
        self._lock = threading.Lock()
        self._prober: threading.Thread | None = None
        self._closing = threading.Event()

    def call(self, lanes: Collection[Hashable], action: Callable[[], T]) -> T:
        """
        Do `action`, which needs all of `lanes`.

        Raises:
            LogUnavailableError: at once while a lane is open; else whatever `action` raises, after opening the lanes.
        """
        if not self.admit(lanes):
            raise self.refusal()
        try:
            result = action()
        except BaseException:
            self.settle(lanes, succeeded=False)
            raise
        self.settle(lanes, succeeded=True)
        return result

    def refusal(self) -> LogUnavailableError:
        """Say that a caller was not let pass."""
        return LogUnavailableError(f"{self.name} was away a moment ago and has not come back yet")

    def settle(self, lanes: Collection[Hashable], *, succeeded: bool) -> None:
        """Note how it went with a caller that `admit` let pass; called once for each."""
        self._happened(lanes, Happening.SUCCEEDED if succeeded else Happening.FAILED)

    def passable(self, lanes: Collection[Hashable]) -> bool:
        """Whether a caller might pass now; `admit` has the last word."""
        if not self._lanes:
            return True
        with self._lock:
            return not self._away and all(admits(self._lanes.get(lane, Lane.CLOSED)) for lane in lanes)

    def open_lanes(self) -> int:
        """How many lanes let nobody pass freely."""
        with self._lock:
            return len(self._lanes)

    def close(self) -> None:
        """Stop probing."""
        self._closing.set()
        prober = self._prober
        if prober is not None:
            prober.join(timeout=2)

    def admit(self, lanes: Collection[Hashable]) -> bool:
        """Let a caller pass, which then says with `settle` how it went; False while a lane is open."""
        with self._lock:
            if not self._lanes:
                return True
            if self._away or not all(admits(self._lanes.get(lane, Lane.CLOSED)) for lane in lanes):
                return False
            self._apply(lanes, Happening.ADMITTED)
            return True

    def _happened(self, lanes: Collection[Hashable], happening: Happening) -> None:
        with self._lock:
            if happening is Happening.SUCCEEDED and not self._lanes:
                return
            before = len(self._lanes)
            self._apply(lanes, happening)
            if len(self._lanes) != before:
                metrics.BREAKER_OPEN.labels(self.name).set(len(self._lanes))
                _log.warning("breaker_changed", breaker=self.name, open_lanes=len(self._lanes))
            if self._lanes and self._prober is None and not self._closing.is_set():
                self._away = True
                self._prober = threading.Thread(target=self._keep_probing, name=f"breaker-{self.name}", daemon=True)
                self._prober.start()

    def _apply(self, lanes: Collection[Hashable], happening: Happening) -> None:
        for lane in lanes:
            stands = after(self._lanes.get(lane, Lane.CLOSED), happening)
            if stands is Lane.CLOSED:
                self._lanes.pop(lane, None)
            else:
                self._lanes[lane] = stands

    def _keep_probing(self) -> None:
        self._ask()  # at once: is it one lane, or everything? Lanes are tried again at the next probe, not now
        while not self._closing.wait(self._probe_every_s):
            with self._lock:
                if not self._lanes:
                    self._prober, self._away = None, False
                    return
                waiting = [lane for lane, stands in self._lanes.items() if stands is Lane.OPEN]
            if waiting and self._ask():
                self._happened(waiting, Happening.PROBED)

    def _ask(self) -> bool:
        answers = self._answers()
        with self._lock:
            self._away = not answers
        return answers

    def _answers(self) -> bool:
        try:
            self._probe()
        except Exception:  # noqa: BLE001  # whatever the reason, it does not answer
            return False
        return True
