"""Waitress' connection with deadlines from accept on, and a close that lets the other side read why."""

from __future__ import annotations

import math
import socket
import time
from enum import Enum
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel

from shared.runtime.http_connections import BodyBudget, Connections
from shared.runtime.http_direct import task_for
from shared.runtime.http_limits import (
    BODY_DEADLINE_S,
    HEADERS_DEADLINE_S,
    IDLE_S,
    KIB,
    LINGER_BYTES,
    LINGER_S,
    STALLED_ANSWER_S,
)
from shared.runtime.http_parser import LimitedParser

_HEARD_AT_ONCE = 256 * KIB


class Phase(Enum):
    """What a connection is waiting for, and for how many seconds it may."""

    HEADERS = "headers", HEADERS_DEADLINE_S
    """From accept on, and from the first byte of each later request."""
    BODY = "body", BODY_DEADLINE_S
    ANSWER = "answer", math.inf
    """The application's, or that the other side reads it."""
    NEXT_REQUEST = "next request", IDLE_S
    HANGING_UP = "hanging up", LINGER_S
    """A refused sender is heard out."""

    def __init__(self, _name: str, allowed_s: float) -> None:
        """Keep the seconds at hand: every connection is asked every second."""
        self.allowed_s = allowed_s


class GuardedChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """
    One connection. The loop's thread reads, sends and closes; a worker's thread runs `service` and nothing else here.

    A phase's clock starts anew with the phase, never with a byte: whoever drips gains nothing.
    """

    request: Any
    requests: list[Any]
    total_outbufs_len: int
    task_class = staticmethod(task_for)
    waits_for_handler = False
    """Whether a direct handler, which may answer later, has the first request (`http_direct`)."""

    def __init__(  # the first five are waitress'
        self,
        server: Any,
        sock: socket.socket,
        addr: Any,
        adj: Any,
        map: dict[int, Any] | None = None,
        *,
        connections: Connections,
        budget: BodyBudget,
    ) -> None:
        """Called by waitress for each accepted socket; `connections` and `budget` are shared by all."""
        self._connections = connections
        self._since = self._progress_at = time.monotonic()
        self._awaited = True
        self._refused = self._hanging_up = False
        self._heard_out = 0
        self.descriptor = sock.fileno()
        super().__init__(server, sock, addr, adj, map)
        self.parser_class = partial(LimitedParser, budget=budget)

    @property
    def phase(self) -> Phase:
        """What it waits for at this moment."""
        if self._hanging_up:
            return Phase.HANGING_UP
        if self.requests or self.total_outbufs_len:
            return Phase.ANSWER
        if self.request is not None and self.request.headers_finished:
            return Phase.BODY
        return Phase.HEADERS if self._awaited or self.request is not None else Phase.NEXT_REQUEST

    @property
    def unfinished(self) -> bool:
        """Whether a request is awaited or still arriving, or a refused one is heard out."""
        return self.phase in (Phase.HEADERS, Phase.BODY, Phase.HANGING_UP)

    @property
    def idle(self) -> bool:
        """Whether it waits between two requests."""
        return self.phase is Phase.NEXT_REQUEST

    @property
    def settled(self) -> bool:
        """Whether what it waits for changes by an event of its socket only: no worker is at work for it, nothing is to be sent."""
        at_rest = self.waits_for_handler or self.phase is not Phase.ANSWER
        return at_rest and not self.will_close and not self.close_when_flushed

    def drop(self) -> None:
        """Close it now, without a word."""
        self._refused = False
        self.handle_close()

    def is_late(self, now: float) -> bool:
        """Whether its phase, or the reading of its answer, has taken too long; `now` is monotonic seconds. Asked regularly."""
        phase = self.phase
        if not self.total_outbufs_len:
            self._progress_at = now
        if phase is Phase.ANSWER:
            self._since = now
        return now - self._progress_at > STALLED_ANSWER_S or now - self._since > phase.allowed_s

    def handle_read(self) -> None:
        """Read what is there; of a refused sender much at once, so that hearing it out costs the others few turns."""
        if not self._hanging_up:
            super().handle_read()
            return
        try:
            self._hear_out(len(self.recv(_HEARD_AT_ONCE)))
        except OSError:
            self.handle_close()

    def received(self, data: bytes) -> bool:
        """Take bytes from the socket."""
        before = self.phase
        self._awaited = True
        taken: bool = super().received(data)
        if self.phase is not before:
            self._since = time.monotonic()
        return taken

    def service(self) -> None:
        """Answer the first waiting request, in a worker's thread."""
        self._awaited = False
        self._refused = bool(self.requests[0].error)
        super().service()

    def send(self, data: bytes, *, do_close: bool = True) -> int:
        """Send what the socket takes."""
        sent: int = super().send(data, do_close=do_close)
        if sent:
            self._progress_at = time.monotonic()
        return sent

    def handle_close(self) -> None:
        """Close; after a refusal only our side at first, since a reset would overtake the answer."""
        if self._refused and not self._hanging_up and self.connected and not self.total_outbufs_len:
            self._hang_up()
            return
        request, self.request = self.request, None
        if request is not None:
            request.close()
        super().handle_close()

    def del_channel(self, map: dict[int, Any] | None = None) -> None:
        """Waitress' hook: it is closed."""
        super().del_channel(map)
        self._connections.remove(self)

    def _hang_up(self) -> None:
        self._hanging_up, self._since = True, time.monotonic()
        self.will_close = self.close_when_flushed = False
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def _hear_out(self, count: int) -> None:
        self._heard_out += count
        if self._heard_out > LINGER_BYTES:
            self.handle_close()
