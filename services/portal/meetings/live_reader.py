"""Reads titles and times as the viewing person, for as long as an answer takes, and keeps none of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.portal.deps import Deps
from services.portal.meetings.event_reads import EventReads
from services.portal.meetings.mailbox_calls import MailboxCalls
from shared.domain.identity import Mailbox, Provider
from shared.domain.sighting import Access, AgendaItem, Availability, LiveMeeting, LiveSeries, NewMeeting, Window
from shared.errors import RetryableError
from shared.ports.calendar import CalendarProvider
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

T = TypeVar("T")

_limited = LimitedLog(get_logger())

READS_BUDGET_S = 6.0
"""What is not read by then is shown without its title: a page must come, whatever the provider does."""
CALLS_OF_ONE_ANSWER = 3
"""An agenda comes in pages, and each call has its own time limit: so many of them are waited for."""


@dataclass(frozen=True, slots=True)
class LiveMeetings:
    """What a live read found."""

    by_event: Mapping[str, LiveMeeting]
    complete: bool
    """False: nobody waited for the rest, and asking again may find more."""


class LiveReader:
    """Calls a person's calendar system as that person, through the bounded queue of their mailbox."""

    def __init__(self, deps: Deps, calls: MailboxCalls | None = None, *, counted: bool = True) -> None:
        """
        Read nothing yet.

        Args:
            deps: Providers and grants.
            calls: The queue in front of the calendar systems; a new one when left out.
            counted: Whether requests that wait are counted and bounded (see `MailboxCalls.run`).
        """
        self._deps = deps
        self._calls = calls or MailboxCalls()
        self._counted = counted

    def for_streams(self) -> LiveReader:
        """A reader over the same queue for live streams, which wait on threads of their own and are bounded elsewhere."""
        return LiveReader(self._deps, self._calls, counted=False)

    def meetings(
        self, mailbox: Mailbox, provider: str, wanted: Mapping[str, Window], *, wait_s: float = READS_BUDGET_S
    ) -> LiveMeetings:
        """
        Read events as their owner sees them now: one read of the calendar for all of them, where there are more than a few.

        Args:
            mailbox: Whose they are.
            provider: Where.
            wanted: Event id → when it was last seen to take place.
            wait_s: How long to wait. The read itself goes on until `READS_BUDGET_S` is over, so that whoever asks next is
                behind it in the mailbox's queue.

        Returns:
            What was read by then. An event that is gone or hidden has no entry: a page says so and goes on.
        """
        found: dict[str, LiveMeeting] = {}
        if not wanted:
            return LiveMeetings(found, complete=True)
        reads = EventReads(
            self._deps.providers[Provider(provider)], self._deps.broker, mailbox, time.monotonic() + READS_BUDGET_S
        )
        try:
            self._calls.run(mailbox, lambda: reads.run(wanted, found), wait_s=wait_s, counted=self._counted)
        except RetryableError as error:
            _limited.info("live_read_not_awaited", mailbox=mailbox.id, error=str(error))
            return LiveMeetings(found.copy(), complete=False)
        return LiveMeetings(found, complete=True)

    def availability(
        self, mailbox: Mailbox, provider: str, rooms: Sequence[str], start_ms: int, end_ms: int
    ) -> Mapping[str, Availability]:
        """
        Room address (lower-cased) → free, busy or unknown, as this person may see it.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        answers = self._call(
            mailbox, provider, lambda calendar, access: calendar.availability(access, rooms, start_ms, end_ms)
        )
        return {address.lower(): answer for address, answer in answers.items()}

    def busy_times(
        self, mailbox: Mailbox, provider: str, rooms: Sequence[str], window: Window
    ) -> Mapping[str, Sequence[Window] | None]:
        """
        Room address (lower-cased) → when it is busy in `window`, as this person may see it; None: that is not known.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        answers = self._call(mailbox, provider, lambda calendar, access: calendar.busy_times(access, rooms, window))
        return {address.lower(): answer for address, answer in answers.items()}

    def agenda(
        self, mailbox: Mailbox, provider: str, window: Window, *, wait_s: float | None = None
    ) -> Sequence[AgendaItem]:
        """
        The person's own events in `window`, as they see them now; waited for `wait_s` seconds, else as long as for any call.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        return self._call(mailbox, provider, lambda calendar, access: calendar.agenda(access, window), wait_s)

    def series(self, mailbox: Mailbox, provider: str, event_id: str, window: Window) -> LiveSeries | None:
        """
        The series that a date belongs to, as the person sees it now; None: it is no date of one.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError, EventGoneError: as the provider says.
        """
        return self._call(mailbox, provider, lambda calendar, access: calendar.read_series(access, event_id, window))

    def book(self, mailbox: Mailbox, provider: str, meeting: NewMeeting) -> str:
        """
        Make the meeting in the person's own calendar; returns the event's id there. Safe to repeat.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        return self._call(mailbox, provider, lambda calendar, access: calendar.book(access, meeting))

    def _call(
        self,
        mailbox: Mailbox,
        provider: str,
        call: Callable[[CalendarProvider, Access], T],
        wait_s: float | None = None,
    ) -> T:
        calendar = self._deps.providers[Provider(provider)]

        def call_as_person() -> T:
            return self._deps.broker.using(mailbox, lambda access: call(calendar, access))

        usual_s = self._deps.settings.call_timeout_s * CALLS_OF_ONE_ANSWER
        return self._calls.run(mailbox, call_as_person, wait_s=wait_s or usual_s, counted=self._counted)
