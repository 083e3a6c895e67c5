"""A thread that does what may never return, while the caller waits for so long and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Watchdog:
    """One daemon thread: stuck work does not keep the process from ending."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def run(self, work: Callable[[], T], timeout_s: float) -> T:
        """What `work` returns or raises. Raises TimeoutError after `timeout_s`; the work may still be going on."""
        result: Future[T] = Future()
        self._work.put((work, result))
        return result.result(timeout_s)

    def close(self) -> None:
        """End the thread once it is idle."""
        self._work.put(None)

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            work, result = job
            try:
                result.set_result(work())
            except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
                result.set_exception(error)
