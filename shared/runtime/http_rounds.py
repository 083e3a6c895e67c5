"""
Looks after all open connections in turn, evenly over time.

Connections that were opened together reach their deadline together. Closing them all at one moment, and accepting whoever comes
anew at once, keeps everybody else waiting meanwhile: 133 of them for some 10 ms. Asked one after the other over the whole
round, and ended one at a time, they also come back one after the other.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

T = TypeVar("T")

EVERY_S = 1.0
"""How long a round takes, however many there are; who comes during one is asked in the next."""
APART_S = 0.1
"""Between two portions at least, so that many connections do not wake the loop all the time."""


class RoundRobin(Generic[T]):
    """Names every member once a round, a few at a time. Used by one thread; times are monotonic seconds."""

    def __init__(self, members: Callable[[], Collection[T]]) -> None:
        """`members` is asked at the start of each round; who comes later is named in the next."""
        self._members = members
        self._began = -math.inf
        self._count = 0
        self._left: deque[T] = deque()

    def due(self, now: float) -> list[T]:
        """Take those whose turn has come, each of which is named once a round."""
        if not self._left and now >= self._began + EVERY_S:
            self._left.extend(self._members())
            self._began, self._count = now, len(self._left)
        passed = min(1.0, (now - self._began) / EVERY_S)
        named = self._count - len(self._left)
        return [self._left.popleft() for _ in range(math.ceil(passed * self._count) - named)]

    def wait_s(self, now: float) -> float:
        """How long until somebody's turn comes, or the next round begins."""
        if not self._left:
            return max(0.0, self._began + EVERY_S - now)
        return max(APART_S, EVERY_S / self._count)


class Spaced(Generic[T]):
    """Hands out its members one at a time, `apart_s` apart, each once. Used by one thread; times are monotonic seconds."""

    def __init__(self, apart_s: float) -> None:
        """Hold nobody."""
        self._apart_s = apart_s
        self._waiting: dict[T, None] = {}
        self._next_at = -math.inf

    def add(self, member: T) -> None:
        """Let one more wait, at its place if it waits already."""
        self._waiting[member] = None

    def due(self, now: float) -> T | None:
        """Take the first, if its turn has come."""
        if not self._waiting or now < self._next_at:
            return None
        self._next_at = now + self._apart_s
        first = next(iter(self._waiting))
        del self._waiting[first]
        return first

    def wait_s(self, now: float) -> float:
        """How long until somebody's turn comes; infinite while nobody waits."""
        return max(0.0, self._next_at - now) if self._waiting else math.inf
