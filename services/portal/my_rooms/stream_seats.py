"""Says who may hold a live stream: so many in all, so many a person; whoever opens one too many loses their oldest."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

MAX_LEAVING = 8
"""Streams that were asked to end and have not noticed yet: each still holds a thread of the server."""


@dataclass(eq=False, slots=True)
class Seat:
    """One stream's place."""

    user: str
    called: threading.Event = field(default_factory=threading.Event)
    """Set when the stream has something to look at; it sleeps meanwhile."""
    replaced: bool = False
    """Whether a newer stream took this place: the stream ends itself at its next turn."""


class Seats:
    """
    The live streams of this process, oldest first. Thread-safe.

    A person over their share loses their oldest stream to the new one. When all places are held, the oldest stream of whoever
    holds the most ends, unless the newcomer would then hold as many: a few people with many windows keep nobody out.
    """

    def __init__(self, most: int, per_person: int) -> None:
        """Start with every place free."""
        self._most = most
        self._per_person = per_person
        self._seats: list[Seat] = []
        self._leaving: set[Seat] = set()
        self._lock = threading.Lock()

    def take(self, user: str) -> Seat | None:
        """Give a place to one more stream of `user`; None when there is none to give."""
        with self._lock:
            if not self._make_room(user):
                return None
            seat = Seat(user)
            self._seats.append(seat)
            return seat

    def release(self, seat: Seat) -> None:
        """Take a place back once its stream has ended. Idempotent."""
        with self._lock:
            self._leaving.discard(seat)
            if seat in self._seats:
                self._seats.remove(seat)

    def _make_room(self, user: str) -> bool:
        held = Counter(seat.user for seat in self._seats)
        if held[user] >= self._per_person:
            return self._end_oldest(user)
        if len(self._seats) < self._most:
            return True
        holder, most = held.most_common(1)[0]
        return most > held[user] + 1 and self._end_oldest(holder)

    def _end_oldest(self, user: str) -> bool:
        """Ask the oldest stream of `user` to end; False while an earlier one of theirs has not noticed yet."""
        if len(self._leaving) >= MAX_LEAVING or any(seat.user == user for seat in self._leaving):
            return False
        oldest = next(seat for seat in self._seats if seat.user == user)
        self._seats.remove(oldest)
        self._leaving.add(oldest)
        oldest.replaced = True
        oldest.called.set()
        return True
