"""When each person, or endpoint, is to be looked at next. Asking costs what is due, whatever is at rest."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Any)
"""Something with an order."""


class Appointments(Generic[K]):
    """One moment each; a new one replaces the earlier one."""

    def __init__(self) -> None:
        self._at_ms: dict[K, int] = {}
        self._heap: list[tuple[int, K]] = []

    def appoint(self, whom: K, at_ms: int) -> None:
        """Look at them at `at_ms` and not before."""
        if self._at_ms.get(whom) != at_ms:
            self._at_ms[whom] = at_ms
            heapq.heappush(self._heap, (at_ms, whom))

    def appoint_all(self, many: Iterable[K], at_ms: int) -> None:
        """Look at each of them at `at_ms`: what was due is appointed no longer, so whoever cannot go on gives all of it back."""
        for whom in many:
            self.appoint(whom, at_ms)

    def appoint_first(self, whom: K, moments: Iterable[int | None]) -> None:
        """Look at them at the first of these moments; at none if all are None."""
        known = [moment for moment in moments if moment is not None]
        if known:
            self.appoint(whom, min(known))

    def due(self, now_ms: int, limit: int) -> list[K]:
        """At most `limit` to be looked at now. They are appointed no longer."""
        found: list[K] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            at_ms, whom = heapq.heappop(self._heap)
            if self._at_ms.get(whom) == at_ms:
                del self._at_ms[whom]
                found.append(whom)
        return found
