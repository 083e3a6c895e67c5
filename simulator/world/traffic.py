"""Calls that meet trouble: throttling, limits of concurrency, slow answers and plain errors, as the faults say."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from simulator.world.faults import Faults
from simulator.world.ids import Ids


@dataclass(frozen=True, slots=True)
class CallRefusal:
    """A call to be refused: the status, and Retry-After exactly as to be sent (None: no such header)."""

    status: int
    retry_after: str | None
    reason: str


class Traffic:
    """`enter` before serving a call for a mailbox, `leave` after it, whatever came of it."""

    def __init__(self, ids: Ids, faults: Faults) -> None:
        self._ids = ids
        self._faults = faults
        self._lock = threading.Lock()
        self._in_flight: Counter[str] = Counter()
        self._calls = 0

    def enter(self, provider: str, mailbox: str, names: set[str], path: str) -> tuple[CallRefusal | None, float, int]:
        """
        Count a call in.

        Args:
            provider: microsoft or google.
            mailbox: whose calls are counted together.
            names: id and address of the mailbox, for faults aimed at one of them.
            path: the call's path, for faults aimed at some.

        Returns:
            The refusal if any, seconds (real time) to dawdle before answering, and the calls now in flight.
        """
        with self._lock:
            self._calls += 1
            self._in_flight[mailbox] += 1
            in_flight = self._in_flight[mailbox]
            dice = self._ids.random("traffic", provider, self._calls)
        limit = self._faults.get("concurrencyLimit", provider)
        low, high = self._faults.get("latencyMs", provider)
        wait_s = dice.uniform(low, high) / 1000
        if limit and in_flight > limit:
            return CallRefusal(429, "1", "concurrency"), 0.0, in_flight
        if dice.random() < self._faults.get("errorShare", provider):
            return CallRefusal(500, None, "error"), wait_s, in_flight
        return self._throttled(provider, names, path, dice.random()), wait_s, in_flight

    def leave(self, mailbox: str) -> None:
        """Count a call out."""
        with self._lock:
            self._in_flight[mailbox] -= 1

    def _throttled(self, provider: str, names: set[str], path: str, roll: float) -> CallRefusal | None:
        fault = self._faults.get("throttle", provider)
        if not fault:
            return None
        if fault.get("user") and fault["user"] not in names:
            return None
        if fault.get("path") and fault["path"] not in path:
            return None
        if roll >= fault.get("share", 1.0):
            return None
        with self._lock:
            if fault.get("count") is not None:
                if fault["count"] <= 0:
                    return None
                fault["count"] -= 1
        return CallRefusal(fault.get("status", 429), fault.get("retryAfter"), "throttled")
