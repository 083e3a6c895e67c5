"""Threads that run looks: those that somebody waits for first, and some threads that appointments never take."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.schedule import Priority

T = TypeVar("T")

KEPT_FREE = 2
"""Threads that no appointment occupies: a push then waits for none of them."""


class PriorityPool(Executor):
    """
    An executor shared by the partitions of a process.

    A task is of the class of the job among its arguments; a task without one is an appointment.
    """

    def __init__(self, threads: int, kept_free: int = KEPT_FREE) -> None:
        """Start the threads; they are daemons, and end with the process."""
        self._changed = threading.Condition()
        self._waiting: list[tuple[Priority, int, Future[Any], Callable[[], Any]]] = []
        self._entries = 0
        self._appointments = 0
        self._most_appointments = max(threads - kept_free, 1)
        self._closed = False
        for number in range(threads):
            threading.Thread(target=self._work, name=f"look-{number}", daemon=True).start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run `fn` when it is its turn."""
        job = next((each for each in args if isinstance(each, Job)), None)
        priority = job.priority if job is not None else Priority.APPOINTMENT
        future: Future[T] = Future()
        with self._changed:
            self._entries += 1
            heapq.heappush(self._waiting, (priority, self._entries, future, lambda: fn(*args, **kwargs)))
            self._changed.notify()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Begin nothing any more. What runs is not waited for."""
        del wait, cancel_futures
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not self._may_begin():
                    self._changed.wait()
                if self._closed:
                    return
                priority, _, future, call = heapq.heappop(self._waiting)
                self._appointments += priority is Priority.APPOINTMENT
            self._run(future, call)
            with self._changed:
                self._appointments -= priority is Priority.APPOINTMENT
                self._changed.notify()

    def _may_begin(self) -> bool:
        if not self._waiting:
            return False
        return self._waiting[0][0] is not Priority.APPOINTMENT or self._appointments < self._most_appointments

    @staticmethod
    def _run(future: Future[Any], call: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the future is told
            future.set_exception(error)
