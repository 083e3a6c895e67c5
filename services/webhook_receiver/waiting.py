"""What waits for the log: in groups to one thread, never for longer than promised, and never more than can be had in time."""

from __future__ import annotations

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
FEW = 128
"""So many may always wait: a broker's pause of a second is no reason to refuse at the usual pace."""
CROWDED_AFTER_S = 0.15
"""When more than `FEW` wait and the oldest has for so long, whoever comes next is refused."""
GROUP = 500
APART_S = 0.008
"""Between one group and the next, at least: fewer and larger ones cost the log less, and what comes alone waits for none."""

_log = get_logger()


def is_crowded(count: int, oldest_s: float) -> bool:
    """Whether another one would wait too long behind `count`, of which the oldest has waited `oldest_s`. Pure."""
    return count >= FEW and oldest_s > CROWDED_AFTER_S


class Waiting(Generic[T]):
    """
    Things that were added and not removed yet, oldest first. Thread-safe.

    Its one daemon thread hands what was added to `handle`, in groups, and whatever is overdue to `expire`.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[T]], None],
        expire: Callable[[T, Exception], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Start the thread with the first thing added.

        Args:
            handle: Called with each group; what is in it is removed by others, later or at once.
            expire: Called for each thing that was not removed within `BUDGET_S`; it has been removed then.
            now: Monotonic seconds.
        """
        self._handle = handle
        self._expire = expire
        self._now = now
        self._all: dict[T, float] = {}
        self._new: deque[T] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def add(self, thing: T) -> bool:
        """Have it handled; False, and nothing done, when it would wait too long, or after `close`."""
        now = self._now()
        with self._changed:
            if self._closing or self._crowded(now):
                return False
            self._all[thing] = now
            self._new.append(thing)
            if len(self._new) == 1:
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
        return True

    def remove(self, thing: T) -> bool:
        """Note that it waits no longer; False when somebody else has done so before."""
        with self._changed:
            return self._all.pop(thing, None) is not None

    def close(self) -> None:
        """End the thread; whatever waits is expired."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(BUDGET_S)
        self._expire_until(float("inf"))

    def _crowded(self, now: float) -> bool:
        if len(self._all) < FEW:
            return False
        return is_crowded(len(self._all), now - next(iter(self._all.values())))

    def _run(self) -> None:
        handed_on = -APART_S
        while not self._closing:
            self._wait_for_more()
            time.sleep(max(0.0, handed_on + APART_S - time.monotonic()))
            group = self._next_group()
            try:
                if group:
                    self._handle(group)
            except Exception as error:  # noqa: BLE001  # what is in it is expired, and the next group is handled
                _log.error("group_failed", count=len(group), exc_info=error)
            handed_on = time.monotonic()
            self._expire_until(self._now() - BUDGET_S)

    def _wait_for_more(self) -> None:
        """Wait for things that were added, or until one is overdue."""
        with self._changed:
            if not self._new and not self._closing:
                oldest = next(iter(self._all.values()), None)
                self._changed.wait(None if oldest is None else max(0.0, oldest + BUDGET_S - self._now()))

    def _next_group(self) -> list[T]:
        with self._changed:
            return [self._new.popleft() for _ in range(min(GROUP, len(self._new)))]

    def _expire_until(self, added_at: float) -> None:
        with self._changed:
            overdue = []
            for thing, at in self._all.items():
                if at > added_at:
                    break
                overdue.append(thing)
            for thing in overdue:
                del self._all[thing]
        for thing in overdue:
            self._expire(thing, LogUnavailableError(f"the log did not answer within {BUDGET_S} s"))
