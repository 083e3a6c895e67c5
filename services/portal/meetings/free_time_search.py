"""Looks for times near a wanted one at which a person and a suitable room are free: two reads, whatever is found."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from services.portal.frame.sessions import Person
from services.portal.meetings.deciding.choices import RoomCandidate
from services.portal.meetings.deciding.free_times import (
    FreeTime,
    busy_times_of,
    days_to_look_at,
    find_nearest,
    hours_of,
    office_times,
)
from services.portal.meetings.live_reader import LiveReader
from shared.domain.sighting import Window
from shared.errors import ConsentRevokedError, RefusedError, RetryableError
from shared.runtime.logging import get_logger

_log = get_logger()


class FreeTimeSearch:
    """Reads as one person, on whose wall clock office hours are."""

    def __init__(self, reader: LiveReader, person: Person, zone: ZoneInfo, now_ms: int) -> None:
        """Read nothing yet."""
        self._reader = reader
        self._person = person
        self._zone = zone
        self._now_ms = now_ms

    def nearest(self, ranked: Sequence[RoomCandidate], wanted: Window, event_id: str = "") -> tuple[FreeTime, ...]:
        """
        Find up to three times for a meeting as long as `wanted`; none while the calendar system cannot be asked.

        Args:
            ranked: Rooms that are large enough, best first: one free/busy call's worth.
            wanted: When it was to be.
            event_id: The meeting itself, where it stands already.
        """
        days = days_to_look_at(wanted.start_ms, self._now_ms, self._zone)
        times = office_times(days, wanted.end_ms - wanted.start_ms, self._now_ms, self._zone)
        if not times or not ranked:
            return ()
        window, who = hours_of(days, self._zone), (self._person.mailbox, self._person.provider)
        try:
            said = self._reader.busy_times(*who, [each.room.address for each in ranked], window)
            own = busy_times_of(self._reader.agenda(*who, window), event_id)
        except (RetryableError, RefusedError, ConsentRevokedError) as error:
            _log.info("free_times_not_read", mailbox=self._person.mailbox.id, kind=type(error).__name__)
            return ()
        return find_nearest(ranked, said, own, times, wanted.start_ms)
