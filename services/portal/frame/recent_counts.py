"""What is counted of a whole organisation now and then, not with each request: many who ask cost as much as one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.ports.clock import Clock

T = TypeVar("T")

MAX_TENANTS = 64
"""Organisations whose counts are kept in mind, the latest asked for."""


@dataclass(slots=True)
class _Slot(Generic[T]):
    """One organisation's."""

    kept: tuple[int, T] | None
    """When they were counted, and the counts; None before the first time."""
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Held by the request that counts."""


class RecentCounts(Generic[T]):
    """
    The latest counts of organisations. Thread-safe; one request at a time counts for an organisation.

    Who asks while another request counts is given what was known before; only where nothing is known yet do they wait for it.
    """

    def __init__(
        self, clock: Clock, count: Callable[[str, T | None], T], *, kept_ms: int, before: T | None = None
    ) -> None:
        """
        Know nothing yet.

        Args:
            clock: What says how old they are.
            count: Counts for an organisation; is also given what was known before. What it raises is raised to whoever asks, and
                the next one counts.
            kept_ms: For how long nobody counts again.
            before: Counts for those who ask while an organisation is counted for the first time; None lets them wait.
        """
        self._clock = clock
        self._count = count
        self._kept_ms = kept_ms
        self._before = before
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot[T]] = OrderedDict()

    def of(self, tenant: str) -> T:
        """The counts of an organisation, at most `kept_ms` old unless they are just being counted."""
        slot, now_ms = self._slot(tenant), self._clock.now_ms()
        known = slot.kept
        if known and now_ms - known[0] < self._kept_ms:
            return known[1]
        if known is None:
            slot.turn.acquire()
        elif not slot.turn.acquire(blocking=False):
            return known[1]
        try:
            latest = slot.kept
            if latest is None or latest is known:
                latest = slot.kept = now_ms, self._count(tenant, known[1] if known else None)
            return latest[1]
        finally:
            slot.turn.release()

    def _slot(self, tenant: str) -> _Slot[T]:
        with self._lock:
            if tenant not in self._slots:
                self._slots[tenant] = _Slot(None if self._before is None else (-self._kept_ms, self._before))
            self._slots.move_to_end(tenant)
            if len(self._slots) > MAX_TENANTS:
                self._slots.popitem(last=False)
            return self._slots[tenant]
