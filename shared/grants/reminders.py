"""Reminders of ours that may stand in somebody's calendar: all of them are removed with the grant that made them."""

from __future__ import annotations

from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS
from shared.domain.sighting import Access, Window
from shared.errors import RefusedError
from shared.ports.calendar import CalendarProvider
from shared.ports.registry import Registry
from shared.registry import tables


class CalendarReminders:
    """Those of everybody. Costs two rows for whoever never asked for any."""

    def __init__(self, registry: Registry) -> None:
        """Read nothing yet."""
        self._consents = tables.consents(registry)
        self._notifications = tables.notifications(registry)

    def since_ms(self, mailbox: Mailbox) -> int:
        """Since when reminders may stand in the calendar; 0: none were ever asked for. Raises StoreUnavailableError."""
        consent = self._consents.get(mailbox.tenant, mailbox.id)
        row = self._notifications.get(mailbox.tenant, consent.user) if consent else None
        return row.calendar_since_ms if row else 0

    def remove_all(self, calendar: CalendarProvider, access: Access, since_ms: int, now_ms: int) -> str:
        """
        Remove what stands, as the person themselves would.

        Returns:
            Why something may stand still; "" when nothing does.

        Raises:
            RetryableError: try again.
        """
        try:
            for event_id in calendar.reminders(access, Window(since_ms - DAY_MS, now_ms + DAY_MS)).values():
                calendar.cancel(access, event_id)
        except RefusedError as error:
            return str(error)
        return ""
