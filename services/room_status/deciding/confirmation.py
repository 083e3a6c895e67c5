"""
A decline that came in one word with a new time waits until a later look repeats it: when that look is asked for, and of whom. Pure.

Such a look is not sure to come by itself: at the provider nothing changes any more, so that nobody is notified.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.room_status.deciding.expiry import NEVER_MS
from shared.contracts.meeting_state import DateRecord, MeetingRecord, RoomRecord
from shared.domain.instants import SECOND_MS

CONFIRM_AFTER_MS = 5 * SECOND_MS
"""Neither provider says how long after a new time a room's former answer is still shown. Each further look waits twice as long."""


def confirm_at(record: MeetingRecord, now_ms: int = 0) -> int:
    """
    Say when a look at the meeting is to be asked for next, in epoch milliseconds.

    Args:
        record: The meeting.
        now_ms: When a look was asked for last; 0: none was, since the record changed.
    """
    return min((_next_ms(room, now_ms) for date, room in _unconfirmed(record) if date.ends > now_ms), default=NEVER_MS)


def mailboxes_to_ask(record: MeetingRecord, now_ms: int) -> tuple[str, ...]:
    """Name the mailboxes whose look would confirm a decline that has waited long enough."""
    waiting = (
        date.speaker
        for date, room in _unconfirmed(record)
        if room.answered_at_ms + CONFIRM_AFTER_MS <= now_ms < date.ends
    )
    return tuple(sorted({*waiting}))


def _unconfirmed(record: MeetingRecord) -> Iterator[tuple[DateRecord, RoomRecord]]:
    return (
        (date, room)
        for date in record.dates
        if date.in_sight and date.speaker
        for room in date.rooms
        if room.unconfirmed
    )


def _next_ms(room: RoomRecord, now_ms: int) -> int:
    first_ms = room.answered_at_ms + CONFIRM_AFTER_MS
    return first_ms if now_ms < first_ms else now_ms + (now_ms - room.answered_at_ms)
