"""When each person is to be looked at next. Asking costs what is due, whatever is at rest."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from shared.domain.identity import Mailbox


class Appointments:
    """One moment a person; a new one replaces the earlier one."""

    def __init__(self) -> None:
        self._at_ms: dict[Mailbox, int] = {}
        self._heap: list[tuple[int, Mailbox]] = []

    def appoint(self, mailbox: Mailbox, at_ms: int) -> None:
        """Look at the person at `at_ms` and not before."""
        if self._at_ms.get(mailbox) != at_ms:
            self._at_ms[mailbox] = at_ms
            heapq.heappush(self._heap, (at_ms, mailbox))

    def appoint_first(self, mailbox: Mailbox, moments: Iterable[int | None]) -> None:
        """Look at the person at the first of these moments; at none if all are None."""
        known = [moment for moment in moments if moment is not None]
        if known:
            self.appoint(mailbox, min(known))

    def due(self, now_ms: int, limit: int) -> list[Mailbox]:
        """At most `limit` people to be looked at now. They are appointed no longer."""
        found: list[Mailbox] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            at_ms, mailbox = heapq.heappop(self._heap)
            if self._at_ms.get(mailbox) == at_ms:
                del self._at_ms[mailbox]
                found.append(mailbox)
        return found
