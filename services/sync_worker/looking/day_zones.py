"""
When the days of an all-day event begin and end, where its provider does not say in which zone it is held.

Graph names the zone that an event was made in (`originalStartTimeZone`), except of a custom zone and of what some clients and
imports make. The mailbox's own zone would be the next best word, and needs `MailboxSettings.Read`, which is not among the
permissions that roomsync asks for. The person's browser names a zone when they sign in, which is kept with how they want to
be notified.
"""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.days import instant_of_day
from shared.domain.identity import Mailbox
from shared.domain.sighting import Look, Seen, SeenEvent
from shared.ports.registry import Registry
from shared.registry import tables

_UNREADABLE = (ValueError, OverflowError, OSError)


class DayZones:
    """Adds to what a calendar shows the instants of days that its provider leaves open. Used by the threads of looks."""

    def __init__(self, registry: Registry) -> None:
        """Grants name the person of a mailbox, and the person's row names a zone."""
        self._consents = tables.consents(registry)
        self._notifications = tables.notifications(registry)

    def complete(self, mailbox: Mailbox, look: Look) -> Look:
        """
        Fill in what is missing, once for all events; nothing is read where nothing is.

        Raises:
            StoreUnavailableError: the look is to be repeated.
        """
        if not any(_is_open(each) for each in look.seen):
            return look
        zone = self._zone_of(mailbox)
        return look if zone is None else replace(look, seen=tuple(_completed(each, zone) for each in look.seen))

    def _zone_of(self, mailbox: Mailbox) -> ZoneInfo | None:
        consent = self._consents.get(mailbox.tenant, mailbox.id)
        row = self._notifications.get(mailbox.tenant, consent.user) if consent else None
        try:
            return ZoneInfo(row.zone) if row and row.zone else None
        except (*_UNREADABLE, ZoneInfoNotFoundError):
            return None


def _is_open(seen: Seen) -> bool:
    return isinstance(seen, SeenEvent) and seen.all_day and not seen.ends_ms and not seen.cancelled


def _completed(seen: Seen, zone: ZoneInfo) -> Seen:
    if not isinstance(seen, SeenEvent) or not _is_open(seen):
        return seen
    try:
        return replace(seen, begins_ms=instant_of_day(seen.start_ms, zone), ends_ms=instant_of_day(seen.end_ms, zone))
    except _UNREADABLE:
        return seen  # a day outside the calendar
