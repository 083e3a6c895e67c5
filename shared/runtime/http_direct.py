"""
Requests that the server's loop itself hands to their handler, and whose answers may come later, from any thread.

A request that waits for a log holds no thread meanwhile. What a handler does at once is done by the loop, so it must be
short: reading a body of one MiB at most, never waiting. Everything else is the application's, in a thread (ADR 38).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from waitress.task import Task, ThreadedTaskDispatcher, WSGITask

from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

_log = LimitedLog(get_logger())


@dataclass(frozen=True, slots=True)
class DirectRequest:
    """A whole request: the raw query, header fields by their names in lower case, and the body."""

    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """What is sent back; its length is added."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Respond = Callable[[DirectAnswer], None]
"""Called once for each request, by any thread."""
DirectHandler = Callable[[DirectRequest, Respond], None]
DirectRoutes = Mapping[str, DirectHandler]
"""Path → who answers a POST to it."""


class WaitingChannel(Protocol):
    """What is used of a connection."""

    descriptor: int
    requests: list[Any]
    waits_for_handler: bool

    def service(self) -> None:
        """Answer the first request."""


def task_for(channel: Any, request: Any) -> Task:
    """Make what sends the answer of a request: the one that a handler gave, or else the application's."""
    answer = getattr(request, "direct_answer", None)
    return WSGITask(channel, request) if answer is None else _DirectTask(channel, request)


class _DirectTask(Task):  # type: ignore[misc]  # waitress has no types
    """Sends an answer that is there."""

    def execute(self) -> None:
        """Called by `service`."""
        answer: DirectAnswer = self.request.direct_answer
        self.status = f"{answer.status} {HTTPStatus(answer.status).phrase.upper()}"  # as the application spells it
        self.content_length = len(answer.body)
        self.response_headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        self.complete = True
        self.write(answer.body)


class DirectDispatcher:
    """
    Waitress' dispatcher of tasks: direct requests to their handlers, all others to threads.

    Given a request by the loop, or by the thread that answered the one before on the same connection.
    """

    def __init__(self, routes: DirectRoutes, threads: int, wake: Callable[[], None]) -> None:
        """`wake` has the loop call `answer_all` soon."""
        self._routes = routes
        self._wake = wake
        self._answered: deque[WaitingChannel] = deque()
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(threads)

    def add_task(self, channel: WaitingChannel) -> None:
        """Waitress' hook: the first request of `channel` has arrived whole."""
        request = channel.requests[0]
        handler = None if request.error or request.command != "POST" else self._routes.get(request.path)
        if handler is None:
            self._threads.add_task(channel)
            return
        channel.waits_for_handler = True

        def respond(answer: DirectAnswer) -> None:
            request.direct_answer = answer
            self._answered.append(channel)
            self._wake()

        try:
            handler(_read(request), respond)
        except Exception as error:  # noqa: BLE001  # a fault of ours in one request must not end the loop
            _log.error("direct_handler_failed", exc_info=error)
            if not hasattr(request, "direct_answer"):  # a second answer would be the next request's
                respond(DirectAnswer(HTTPStatus.INTERNAL_SERVER_ERROR))

    def answer_all(self) -> list[WaitingChannel]:
        """Send the answers that have come; returns the connections they went to. Called by the loop."""
        served: list[WaitingChannel] = []
        for _ in range(len(self._answered)):  # what comes meanwhile waits for its turn
            channel = self._answered.popleft()
            channel.waits_for_handler = False
            if channel.requests:  # else it was closed meanwhile
                channel.service()
            served.append(channel)
        return served

    def shutdown(self, *, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End the threads."""
        ended: bool = self._threads.shutdown(cancel_pending=cancel_pending, timeout=timeout)
        return ended


class Wake:
    """Wakes the loop from other threads, once however many ask before it has looked; from its own thread there is no need."""

    def __init__(self) -> None:
        self.pull: Callable[[], None] = lambda: None
        self._loop: int | None = None
        self._asked = False

    def __call__(self) -> None:
        """Have the loop look."""
        if self._asked or threading.get_ident() == self._loop:
            return
        self._asked = True
        self.pull()

    def looked(self) -> None:
        """Note, in the loop's thread, that what was asked so far is about to be looked at."""
        self._loop = threading.get_ident()
        self._asked = False


def _read(request: Any) -> DirectRequest:
    headers = {name.replace("_", "-").lower(): value for name, value in request.headers.items()}
    return DirectRequest(request.query, headers, request.get_body_stream().read())
