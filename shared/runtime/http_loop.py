"""
Waits for waitress' sockets, at a cost that grows with what happens, not with how many connections are open.

Waitress' own loop asks every connection at every turn whether it wants to read or write: half-open connections make
every good request dearer (ADR 14 has the pairs that were measured). Here the operating system's list of sockets stays
as it is, and only those connections are asked again that something has happened to, or that a worker's thread is at
work for.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from waitress import wasyncore

_READ = select.POLLIN | select.POLLPRI


class SocketLoop(dict[int, Any]):
    """
    Waitress' map of sockets, descriptor to dispatcher, and the loop over them. Used by one thread.

    A dispatcher may have an attribute `settled`: True promises that what it waits for changes by an event of its socket only.
    """

    def __init__(self, after_event: Callable[[], object] = lambda: None) -> None:
        """`after_event` is called when a dispatcher has handled an event: it may have work that must not wait for the others."""
        super().__init__()
        self._after_event = after_event
        self._poll = select.poll()  # select() ends at 1024 descriptors
        self._watched: dict[int, int] = {}
        self._unsettled: set[int] = set()

    def __setitem__(self, descriptor: int, dispatcher: Any) -> None:
        super().__setitem__(descriptor, dispatcher)
        self._unsettled.add(descriptor)

    def __delitem__(self, descriptor: int) -> None:
        super().__delitem__(descriptor)
        self._unsettled.discard(descriptor)
        self._watch(descriptor, 0)

    def turn(self, timeout_s: float) -> None:
        """Wait for events, `timeout_s` at most, and let the dispatchers handle them."""
        for descriptor in list(self._unsettled):
            self._ask(descriptor)
        for descriptor, events in self._poll.poll(timeout_s * 1000):
            dispatcher = self.get(descriptor)
            if dispatcher is not None:  # an event of another socket may have closed it
                wasyncore.readwrite(dispatcher, events)
                if descriptor in self:
                    self._unsettled.add(descriptor)
                self._after_event()

    def ask(self, descriptor: int) -> None:
        """Let the next turn ask one dispatcher: something has been done to it."""
        if descriptor in self:
            self._unsettled.add(descriptor)

    def _ask(self, descriptor: int) -> None:
        dispatcher = self[descriptor]
        settled = getattr(dispatcher, "settled", False)  # first: a worker may finish while we ask
        reads = _READ if dispatcher.readable() else 0
        writes = select.POLLOUT if dispatcher.writable() and not dispatcher.accepting else 0
        self._watch(descriptor, reads | writes)
        if settled:
            self._unsettled.discard(descriptor)

    def _watch(self, descriptor: int, events: int) -> None:
        if events == self._watched.get(descriptor, 0):
            return
        if events:
            self._poll.register(descriptor, events)
            self._watched[descriptor] = events
        else:
            self._poll.unregister(descriptor)
            del self._watched[descriptor]
