"""
Which mailbox is looked at next: appointments, and three classes of those that are ready. Pure.

A person who waits at a page goes first, then a push, then an appointment. Every eighth slot goes to whoever has waited longest,
so that a flood of pushes starves no renewal. What a call costs is in proportion to what becomes ready, never to the mailboxes at
rest: appointments stand in a heap, and one that was moved leaves its former entry there until its time comes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from shared.domain.identity import Mailbox

OLDEST_EVERY = 8


class Priority(IntEnum):
    """Why a mailbox is to be looked at; the lower goes first."""

    PERSON = 0
    """Somebody waits at a page: connect, take, disconnect, switch off."""
    PUSH = 1
    APPOINTMENT = 2


@dataclass(slots=True)
class Schedule:
    """The mailboxes of one partition that have an appointment or are ready to be looked at."""

    _appointed: dict[Mailbox, tuple[int, Priority]] = field(default_factory=dict)
    _heap: list[tuple[int, int, Mailbox]] = field(default_factory=list)
    _ready: dict[Priority, dict[Mailbox, int]] = field(default_factory=lambda: {each: {} for each in Priority})
    """Per class: mailbox → when it became ready, the longest-waiting first."""
    _entries: int = 0
    _taken: int = 0

    def appoint(self, mailbox: Mailbox, at_ms: int | None, priority: Priority = Priority.APPOINTMENT) -> None:
        """Make `at_ms` the mailbox's one appointment; None: it has none. A mailbox that is ready stays ready."""
        if at_ms is None:
            self._appointed.pop(mailbox, None)
            return
        if self._appointed.get(mailbox) == (at_ms, priority):
            return
        self._appointed[mailbox] = (at_ms, priority)
        self._entries += 1
        heapq.heappush(self._heap, (at_ms, self._entries, mailbox))

    def make_ready(self, mailbox: Mailbox, priority: Priority, now_ms: int) -> None:
        """The mailbox is to be looked at now. One that is ready already keeps its place, or moves to the better class."""
        since_ms = now_ms
        for each in Priority:
            if mailbox in self._ready[each]:
                if each <= priority:
                    return
                since_ms = self._ready[each].pop(mailbox)
        self._ready[priority][mailbox] = since_ms

    def release(self, now_ms: int) -> None:
        """Make those ready whose appointment has come."""
        while self._heap and self._heap[0][0] <= now_ms:
            at_ms, _, mailbox = heapq.heappop(self._heap)
            appointed = self._appointed.get(mailbox)
            if appointed is not None and appointed[0] == at_ms:
                del self._appointed[mailbox]
                self.make_ready(mailbox, appointed[1], at_ms)

    def take(self, allowed: Iterable[Priority] = tuple(Priority)) -> Mailbox | None:
        """Take the mailbox that goes next, of the allowed classes; None when none of them is ready."""
        heads = [(priority, next(iter(self._ready[priority]))) for priority in allowed if self._ready[priority]]
        if not heads:
            return None
        self._taken += 1
        oldest = self._taken % OLDEST_EVERY == 0
        priority, mailbox = min(heads, key=lambda head: self._ready[head[0]][head[1]] if oldest else head[0])
        del self._ready[priority][mailbox]
        return mailbox

    def forget(self, mailbox: Mailbox) -> None:
        """The mailbox is nobody's any more."""
        self._appointed.pop(mailbox, None)
        for ready in self._ready.values():
            ready.pop(mailbox, None)

    def ready(self) -> int:
        """How many wait for a slot."""
        return sum(map(len, self._ready.values()))
