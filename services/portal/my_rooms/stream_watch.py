"""
Watches the stores for all live streams of a process, and calls those that something concerns.

A stream sleeps until it is called, or until its next heartbeat: so many open pages cost one question to the view several times
a second, one for each of their organisations each second, three for each every few seconds, and nothing for each page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.portal.deps import Deps
from services.portal.frame.sessions import find_unwelcome
from services.portal.my_rooms.stream_seats import Seat
from shared.errors import LogUnavailableError, StoreUnavailableError
from shared.organisations.decline_incidents import read_open
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

POLL_S = 0.2
CLOCK_S = 1.0
"""How often the clock is followed, and organisations are asked whether many of their rooms say no at once."""
WELCOME_S = 4.0
"""How often all streams are compared with their sessions: the stream of somebody who has signed out ends within five seconds."""
UNKNOWN = -1
"""Below any revision: everything has to be told."""

_log = LimitedLog(get_logger())


@dataclass(eq=False, slots=True)
class Watched:
    """One stream: how far it has come, which it writes itself, and what it is called for."""

    seat: Seat
    owner: str
    """Whose rows of the view it follows, `tenant/mailbox`."""
    tenant: str
    user: str
    session: str
    revision: int = UNKNOWN
    due_ms: int | None = None
    """When to call it by the clock alone, epoch milliseconds."""
    many: bool | None = None
    """Whether many rooms of the organisation say no at once; None while nobody has asked."""
    welcome: bool = True
    """False once its session has ended, or its organisation has this switched off: the stream ends itself."""


class StreamWatch:
    """The streams of this process. Thread-safe; its thread runs while there are any."""

    def __init__(self, deps: Deps) -> None:
        """No stream yet, and no thread."""
        self._deps = deps
        self._lock = threading.Lock()
        self._watched: set[Watched] = set()
        self._running = False
        self._newest: int | None = None
        """The view's newest revision when all streams were compared last; None: they have to be. Its thread's own."""

    def add(self, watched: Watched) -> None:
        """Watch for one more. What is written to the view from now on calls it."""
        with self._lock:
            self._watched.add(watched)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="stream-watch", daemon=True).start()

    def remove(self, watched: Watched) -> None:
        """Watch for it no longer. Idempotent."""
        with self._lock:
            self._watched.discard(watched)

    def _run(self) -> None:
        """Until the process stops, or nobody is left; then whoever is there is called once more."""
        clock_at, welcome_at = 0.0, time.monotonic() + WELCOME_S
        while not self._deps.stop.wait(POLL_S):
            with self._lock:
                present = tuple(self._watched)
                if not present:
                    self._running = False
                    return
            by_clock = (now := time.monotonic()) >= clock_at
            if by_clock:
                clock_at = now + CLOCK_S
            try:
                if now >= welcome_at:
                    welcome_at = now + WELCOME_S
                    self._end_unwelcome(present)
                self._compare(present)
                if by_clock:
                    self._follow_clock(present)
            except (StoreUnavailableError, LogUnavailableError):
                self._newest = None
                if by_clock:
                    _call(present)  # they find out themselves, and say so
            except Exception as error:  # noqa: BLE001  # no page would be live any more
                _log.error("stream_watch_failed", exc_info=error)
        with self._lock:
            _call(self._watched)

    def _end_unwelcome(self, present: Collection[Watched]) -> None:
        """Have those end whose session goes on no longer; while the registry is away, nobody's ends."""
        of_tenant: dict[str, list[Watched]] = {}
        for each in present:
            of_tenant.setdefault(each.tenant, []).append(each)
        for tenant, theirs in of_tenant.items():
            try:
                ended = find_unwelcome(self._deps, tenant, {(each.session, each.user) for each in theirs})
            except StoreUnavailableError:
                return
            for each in theirs:
                if each.session in ended:
                    each.welcome = False
                    each.seat.called.set()

    def _compare(self, present: Collection[Watched]) -> None:
        """Call those of whose owner the view has another revision than they have come to."""
        view = self._deps.engine.view
        newest = view.newest_revision()
        if newest == self._newest and all(each.revision != UNKNOWN for each in present):
            return
        found = view.revisions({each.owner for each in present})
        _call(each for each in present if found[each.owner] != each.revision)
        self._newest = newest

    def _follow_clock(self, present: Collection[Watched]) -> None:
        """Call those whose moment has come, and those in whose organisation an incident has begun or ended."""
        registry, now_ms = self._deps.engine.registry, self._deps.clock.now_ms()
        many = {tenant: read_open(registry, tenant) is not None for tenant in {each.tenant for each in present}}
        for each in present:
            if each.many != many[each.tenant]:
                each.many = many[each.tenant]
                each.seat.called.set()
            if each.due_ms is not None and each.due_ms <= now_ms:
                each.seat.called.set()


def _call(streams: Iterable[Watched]) -> None:
    for each in streams:
        each.seat.called.set()
