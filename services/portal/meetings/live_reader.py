"""Reads titles and times as the viewing person, for as long as an answer takes, and keeps none of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from services.portal.deps import Deps
from shared.domain.identity import Mailbox, Provider
from shared.domain.sighting import Access, AgendaItem, Availability, LiveMeeting, NewMeeting, Window
from shared.errors import ConsentRevokedError, EventGoneError, KeyDestroyedError, RefusedError, RetryableError
from shared.ports.calendar import CalendarProvider
from shared.runtime.logging import get_logger

T = TypeVar("T")

_log = get_logger()

READS_BUDGET_S = 6.0
"""What is not read by then is shown without its title: a page must come, whatever the provider does."""
_LANES = 256


class LiveReader:
    """
    One provider call in flight per mailbox: the worker takes two, and providers allow no more than a handful.

    The lanes are per process; a mailbox always maps to the same one, and strangers who share a lane only wait.
    """

    def __init__(self, deps: Deps) -> None:
        """Nothing is read yet."""
        self._deps = deps
        self._lanes = tuple(threading.Lock() for _ in range(_LANES))

    def meetings(self, mailbox: Mailbox, provider: str, event_ids: Iterable[str]) -> Mapping[str, LiveMeeting]:
        """
        Event id → the event as its owner sees it now.

        An event that is gone, hidden, or could not be read in time has no entry: a page says so and goes on.
        """
        wanted: Sequence[str] = tuple(dict.fromkeys(filter(None, event_ids)))
        if not wanted:
            return {}
        deadline = time.monotonic() + READS_BUDGET_S
        found: dict[str, LiveMeeting] = {}
        with self._lane(mailbox, READS_BUDGET_S) as free:
            if free:
                self._read(mailbox, provider, wanted, found, deadline)
        return found

    def availability(
        self, mailbox: Mailbox, provider: str, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """
        Room address (lower-cased) → free, busy or unknown, as this person may see it.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        said = self._alone(
            mailbox, provider, lambda calendar, access: calendar.availability(access, rooms, start_ms, end_ms)
        )
        return {address.lower(): answer for address, answer in said.items()}

    def agenda(self, mailbox: Mailbox, provider: str, window: Window) -> Sequence[AgendaItem]:
        """
        The person's own events in `window`, as they see them now.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        return self._alone(mailbox, provider, lambda calendar, access: calendar.agenda(access, window))

    def book(self, mailbox: Mailbox, provider: str, meeting: NewMeeting) -> str:
        """
        Make the meeting in the person's own calendar; returns the event's id there. Safe to repeat.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        return self._alone(mailbox, provider, lambda calendar, access: calendar.book(access, meeting))

    def _alone(self, mailbox: Mailbox, provider: str, call: Callable[[CalendarProvider, Access], T]) -> T:
        with self._lane(mailbox, self._deps.settings.call_timeout_s) as free:
            if not free:
                message = "too many requests of yours are being answered at once; try again"
                raise RetryableError(message)
            calendar = self._deps.providers[Provider(provider)]
            return self._deps.broker.using(mailbox, lambda access: call(calendar, access))

    def _read(
        self,
        mailbox: Mailbox,
        provider: str,
        wanted: Sequence[str],
        found: dict[str, LiveMeeting],
        deadline: float,
    ) -> None:
        calendar = self._deps.providers[Provider(provider)]
        for event_id in wanted:
            if time.monotonic() > deadline:
                return
            try:
                found[event_id] = self._deps.broker.using(mailbox, _reading(calendar, event_id))
            except (EventGoneError, RefusedError):
                continue
            except (RetryableError, ConsentRevokedError, KeyDestroyedError) as error:
                _log.info("live_read_failed", mailbox=mailbox.id, kind=type(error).__name__)
                return

    @contextmanager
    def _lane(self, mailbox: Mailbox, timeout_s: float) -> Iterator[bool]:
        lane = self._lanes[hash(mailbox) % _LANES]
        taken = lane.acquire(timeout=timeout_s)
        try:
            yield taken
        finally:
            if taken:
                lane.release()


def _reading(calendar: CalendarProvider, event_id: str) -> Callable[[Access], LiveMeeting]:
    return lambda access: calendar.read(access, event_id)
