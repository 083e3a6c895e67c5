"""Runs live calls to calendar systems on threads of their own, one at a time for each mailbox, and refuses the surplus."""

from __future__ import annotations

import contextvars
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from shared.domain.identity import Mailbox
from shared.errors import RetryableError
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

T = TypeVar("T")

WORKERS = 16
"""Calls under way at once, of all mailboxes."""
MAX_WAITING = 2
"""Requests that may wait for one mailbox behind the one being answered; providers allow few calls at once anyway."""
MAX_ADMITTED = 24
"""Requests that wait or are answered, of all mailboxes: so many threads of the server can be held, and no more."""
RETRY_AFTER_S = 2.0

_limited = LimitedLog(get_logger())
_Job = tuple[Future[Any], Callable[[], Any]]


class MailboxCalls:
    """
    A bounded queue for each mailbox in front of a pool of threads. Thread-safe.

    A request holds one thread of the server while it waits here. Without the bounds, whoever opens a hundred connections to a
    page that reads their own slow calendar would hold every thread of the server.
    """

    def __init__(
        self, workers: int = WORKERS, max_waiting: int = MAX_WAITING, max_admitted: int = MAX_ADMITTED
    ) -> None:
        """Start no thread yet: the pool makes them as calls come."""
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="live-call")
        self._max_waiting = max_waiting
        self._max_admitted = max_admitted
        self._lock = threading.Lock()
        self._queues: dict[Mailbox, deque[_Job]] = {}
        """Mailboxes with a call under way → those that wait behind it."""
        self._admitted: Counter[Mailbox] = Counter()
        """Requests that wait or are answered; at most `max_admitted`, so that its total is cheap."""

    def run(self, mailbox: Mailbox, call: Callable[[], T], *, wait_s: float, counted: bool = True) -> T:
        """
        Run `call` on the pool once the mailbox is free, and return what it returns or raise what it raises.

        Args:
            mailbox: Whose calls go one after the other.
            call: Must end by itself; a caller who stops waiting does not interrupt it.
            wait_s: How long to wait for the answer.
            counted: Whether the bounds hold: not for a live stream, which has a thread and a bound of its own.

        Raises:
            RetryableError: too many wait already (at once), or no answer came within `wait_s`.
        """
        if not counted:
            return _result(self._enqueue(mailbox, call), wait_s)
        self._admit(mailbox)
        try:
            return _result(self._enqueue(mailbox, call), wait_s)
        finally:
            self._release(mailbox)

    def _admit(self, mailbox: Mailbox) -> None:
        with self._lock:
            if self._admitted.total() >= self._max_admitted or self._admitted[mailbox] > self._max_waiting:
                _limited.info("live_call_refused", mailbox=mailbox.id, admitted=self._admitted[mailbox])
                message = "too many requests for your calendar wait already; try again in a moment"
                raise RetryableError(message, retry_after_s=RETRY_AFTER_S)
            self._admitted[mailbox] += 1

    def _release(self, mailbox: Mailbox) -> None:
        with self._lock:
            self._admitted[mailbox] -= 1
            if not self._admitted[mailbox]:
                del self._admitted[mailbox]

    def _enqueue(self, mailbox: Mailbox, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        job = (future, _in_context(call))
        with self._lock:
            waiting = self._queues.get(mailbox)
            if waiting is not None:
                waiting.append(job)
                return future
            self._queues[mailbox] = deque()
        self._pool.submit(self._answer, mailbox, job)
        return future

    def _answer(self, mailbox: Mailbox, job: _Job) -> None:
        future, call = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  # whoever waits for it gets it, whatever it is
                future.set_exception(error)
        with self._lock:
            waiting = self._queues[mailbox]
            if not waiting:
                del self._queues[mailbox]
                return
            following = waiting.popleft()
        self._pool.submit(self._answer, mailbox, following)


def _result(future: Future[T], wait_s: float) -> T:
    try:
        return future.result(wait_s)
    except TimeoutError:
        if future.cancel() or not future.done():  # a call that has not begun never does
            message = "your calendar system took too long to answer; try again in a moment"
            raise RetryableError(message, retry_after_s=RETRY_AFTER_S) from None
        return future.result()


def _in_context(call: Callable[[], T]) -> Callable[[], T]:
    """With the caller's context, so that log lines of the call carry the fields of its request."""
    context = contextvars.copy_context()
    return lambda: context.run(call)
