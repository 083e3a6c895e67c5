"""What waits for the log: handed on in groups, never waiting longer than promised, never more than can be had in time."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from shared.errors import LogUnavailableError
from shared.runtime.logging import get_logger

T = TypeVar("T")

BUDGET_S = 2.1
"""How long anything waits; a request must be answered within 2.2 s."""
MANY_WAITING = 128
"""So many may always wait: a broker's pause of a second is no reason to refuse at the usual pace."""
CROWDED_AFTER_S = 0.15
"""When `MANY_WAITING` or more wait and the oldest has for so long, whoever comes next is refused."""
GROUP = 500
"""So many at most in one group."""
APART_S = 0.008
"""Between one group and the next, at least: fewer and larger ones cost the log less, and what comes alone waits for none."""

_log = get_logger()


def is_crowded(count: int, oldest_s: float) -> bool:
    """Whether another one would wait too long behind `count`, of which the oldest has waited `oldest_s`. Pure."""
    return count >= MANY_WAITING and oldest_s > CROWDED_AFTER_S


class DeadlineQueue(Generic[T]):
    """
    Things that were added and not removed yet, oldest first. Thread-safe.

    One daemon thread hands what was added to `handle`, in groups. Another hands whatever is overdue to `expire`, however long
    `handle` keeps the first: a client of a log that is away waits for its metadata.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[T]], None],
        expire: Callable[[T, Exception], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Start the threads with the first thing added.

        Args:
            handle: Called with each group; what is in it is removed by others, later or at once. It may expire meanwhile.
            expire: Called for each thing that was not removed within `BUDGET_S`; it has been removed then, and what no group
                has had yet comes into none.
            now: Monotonic seconds.
        """
        self._handle = handle
        self._expire = expire
        self._now = now
        self._all: dict[T, float] = {}
        self._new: deque[T] = deque()
        self._lock = threading.Lock()
        self._some_new = threading.Condition(self._lock)
        self._some_wait = threading.Condition(self._lock)
        self._threads: tuple[threading.Thread, ...] = ()
        self._closing = threading.Event()

    def add(self, thing: T) -> bool:
        """Have it handled; False, and nothing done, when it would wait too long, or after `close`."""
        now = self._now()
        with self._lock:
            if self._closing.is_set() or self._crowded(now):
                return False
            self._all[thing] = now
            self._new.append(thing)
            if len(self._new) == 1:
                self._some_new.notify()
            if len(self._all) == 1:
                self._some_wait.notify()
            if not self._threads:
                self._start()
        return True

    def __contains__(self, thing: T) -> bool:
        """Whether it was added, and neither removed nor expired."""
        return thing in self._all

    def remove(self, thing: T) -> bool:
        """Note that it waits no longer; False when somebody else has done so before."""
        with self._lock:
            return self._all.pop(thing, None) is not None

    def close(self) -> None:
        """End the threads; whatever waits is expired."""
        with self._lock:
            self._closing.set()
            self._some_new.notify()
            self._some_wait.notify()
        for thread in self._threads:
            thread.join(BUDGET_S)
        self._expire_due(float("inf"))

    def _start(self) -> None:
        self._threads = (
            threading.Thread(target=self._hand_on, name="intake", daemon=True),
            threading.Thread(target=self._expire_overdue, name="intake-deadlines", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def _crowded(self, now: float) -> bool:
        if len(self._all) < MANY_WAITING:
            return False
        return is_crowded(len(self._all), now - next(iter(self._all.values())))

    def _hand_on(self) -> None:
        handed_on = -APART_S
        while not self._closing.is_set():
            with self._lock:
                self._some_new.wait_for(lambda: self._new or self._closing.is_set())
            time.sleep(max(0.0, handed_on + APART_S - time.monotonic()))
            group = self._next_group()
            try:
                if group:
                    self._handle(group)
            except Exception as error:  # noqa: BLE001  # what is in it is expired, and the next group is handled
                _log.error("group_failed", count=len(group), exc_info=error)
            handed_on = time.monotonic()

    def _expire_overdue(self) -> None:
        """Sleep until the oldest is due, whatever is added meanwhile: a steady load costs one look in `BUDGET_S`."""
        while not self._closing.is_set():
            with self._lock:
                self._some_wait.wait_for(lambda: self._all or self._closing.is_set())
                oldest = next(iter(self._all.values()), 0.0)
            self._closing.wait(max(0.0, oldest + BUDGET_S - self._now()))
            self._expire_due(self._now())

    def _next_group(self) -> list[T]:
        with self._lock:
            return [self._new.popleft() for _ in range(min(GROUP, len(self._new)))]

    def _expire_due(self, now: float) -> None:
        with self._lock:
            due = list(itertools.takewhile(lambda thing: self._all[thing] + BUDGET_S <= now, self._all))
            for thing in due:
                del self._all[thing]
            while self._new and self._new[0] not in self._all:
                self._new.popleft()
        for thing in due:
            try:
                self._expire(thing, LogUnavailableError(f"the log did not answer within {BUDGET_S} s"))
            except Exception as error:  # noqa: BLE001  # a fault in one of them: the others are due all the same
                _log.error("expiry_failed", exc_info=error)
