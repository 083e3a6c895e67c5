"""Reads some events of one calendar, in as few calls as it takes, and keeps none of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from shared.domain.identity import Mailbox
from shared.domain.sighting import Access, LiveMeeting, LivePage, Window
from shared.errors import ConsentRevokedError, EventGoneError, KeyDestroyedError, RefusedError, RetryableError
from shared.grants.broker import ConsentBroker
from shared.ports.calendar import CalendarProvider
from shared.runtime.log_limit import LimitedLog
from shared.runtime.logging import get_logger

FEW = 3
"""So many events are read one by one: a stretch of the calendar that has them may have hundreds of others."""
MOST_ALONE = 10
"""Events that the calendar did not list where they were last seen, and that are asked for by their ids."""
MAX_PAGES = 40

_limited = LimitedLog(get_logger())


class EventReads:
    """The reads behind one answer: pages of the calendar by start, then what was not among them, until the deadline."""

    def __init__(self, calendar: CalendarProvider, broker: ConsentBroker, mailbox: Mailbox, deadline: float) -> None:
        """
        Read nothing yet.

        Args:
            calendar: Whom to ask.
            broker: Gives the person's access.
            mailbox: Whose events.
            deadline: By `time.monotonic`: no call begins after it.
        """
        self._calendar = calendar
        self._broker = broker
        self._mailbox = mailbox
        self._deadline = deadline

    def run(self, wanted: Mapping[str, Window], found: dict[str, LiveMeeting]) -> None:
        """
        Put what can be read into `found`, as it comes: whoever stopped waiting has what there was by then.

        Args:
            wanted: Event id → when it was last seen to take place.
            found: Event id → the event.
        """
        try:
            if len(wanted) > FEW:
                self._read_pages(wanted, found)
            missing = [event_id for event_id in wanted if event_id not in found]
            for event_id in missing[:MOST_ALONE]:
                if time.monotonic() > self._deadline:
                    return
                self._read_one(event_id, found)
        except (RetryableError, ConsentRevokedError, KeyDestroyedError) as error:
            _limited.info("live_read_failed", mailbox=self._mailbox.id, kind=type(error).__name__)

    def _read_pages(self, wanted: Mapping[str, Window], found: dict[str, LiveMeeting]) -> None:
        window = Window(min(each.start_ms for each in wanted.values()), max(each.end_ms for each in wanted.values()))
        token = ""
        for _ in range(MAX_PAGES):
            if time.monotonic() > self._deadline:
                return
            try:
                page = self._broker.using(self._mailbox, partial(self._page, window, token))
            except RefusedError:
                return
            found.update({each.event_id: each for each in page.meetings if each.event_id in wanted})
            token = page.next_page
            if not token or wanted.keys() <= found.keys():
                return

    def _read_one(self, event_id: str, found: dict[str, LiveMeeting]) -> None:
        try:
            found[event_id] = self._broker.using(self._mailbox, partial(self._event, event_id))
        except (EventGoneError, RefusedError):
            return

    def _page(self, window: Window, token: str, access: Access) -> LivePage:
        return self._calendar.read_page(access, window, token)

    def _event(self, event_id: str, access: Access) -> LiveMeeting:
        return self._calendar.read(access, event_id)
