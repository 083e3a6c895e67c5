"""
Past dates leave the memory: a day after their end, by the time of the observation or of the sweep that finds them. Pure.

What a series leaves behind is a mark a room for as long as a later date may still come into sight declined. That a first look
was parked is remembered as long, once nothing is parked any more.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from shared.contracts.meeting_state import (
    DateRecord,
    MeetingRecord,
    RoomRecord,
    RoomState,
    SeriesMark,
    current_decline,
)
from shared.domain.instants import DAY_MS
from shared.domain.keys import TenantKeys

KEEP_PAST_MS = DAY_MS
KEEP_MARK_MS = 400 * DAY_MS
"""More than a year: yearly meetings are series, too."""


class Expiry:
    """When something of each meeting is to be forgotten next. Asking costs what is due, whatever is at rest."""

    def __init__(self, meetings: Iterable[bytes]) -> None:
        """`meetings` have not been looked through yet."""
        self._at_ms = dict.fromkeys(meetings, 0)
        self._heap = [(0, key) for key in self._at_ms]

    def appoint(self, meeting: bytes, at_ms: int) -> None:
        """Look through a meeting at `at_ms` and not before."""
        if self._at_ms.get(meeting) != at_ms:
            self._at_ms[meeting] = at_ms
            heapq.heappush(self._heap, (at_ms, meeting))

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        """At most `limit` meetings to be looked through now. They are appointed no longer."""
        found: list[bytes] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            at_ms, meeting = heapq.heappop(self._heap)
            if self._at_ms.get(meeting) == at_ms:
                del self._at_ms[meeting]
                found.append(meeting)
        return found


def is_over(date: DateRecord, now_ms: int) -> bool:
    """Whether a date ended so long ago that nothing of it is kept."""
    return date.ends < now_ms - KEEP_PAST_MS


def is_past(record: MeetingRecord, before_ms: int) -> bool:
    """Whether every date of the meeting ended before `before_ms`."""
    return all(date.ends < before_ms for date in record.dates)


def is_empty(record: MeetingRecord) -> bool:
    """Whether nothing has to be remembered of the meeting."""
    return not (record.dates or record.marks or record.parked or record.parked_baseline)


NEVER_MS = 1 << 52


def due_at(record: MeetingRecord) -> int:
    """When the first of its dates or marks, or that a baseline was parked, is to be forgotten; epoch milliseconds."""
    ends = [date.ends + KEEP_PAST_MS + 1 for date in record.dates]
    marks = [mark.start_ms + KEEP_MARK_MS + 1 for mark in record.marks.values()]
    parked = [record.parked_until_ms + KEEP_MARK_MS + 1] if record.parked_until_ms else []
    return min([*ends, *marks, *parked], default=NEVER_MS)


def forget_past(record: MeetingRecord, now_ms: int, keys: TenantKeys) -> tuple[MeetingRecord, tuple[DateRecord, ...]]:
    """The record without what is over, and the dates that left it."""
    record = _without_old_baseline(record, now_ms)
    over = tuple(date for date in record.dates if is_over(date, now_ms))
    expired = [room for room, mark in record.marks.items() if mark.start_ms < now_ms - KEEP_MARK_MS]
    if not over and not expired:
        return record, ()
    marks = dict(record.marks)
    for date in over:
        if date.ref != keys.occurrence(record.meeting, ""):  # a meeting of one date has no later one
            for room in date.rooms:
                _mark(marks, record, date, room, keys)
    kept = {room: mark for room, mark in marks.items() if mark.start_ms >= now_ms - KEEP_MARK_MS}
    dates = tuple(date for date in record.dates if not is_over(date, now_ms))
    return msgspec.structs.replace(record, dates=dates, marks=kept), over


def _without_old_baseline(record: MeetingRecord, now_ms: int) -> MeetingRecord:
    """
    The record, that a baseline was parked forgotten where it is long ago.

    Whoever's look it was may be away for long or have left: an observation without dates, of whichever mailbox, does not say.
    """
    if not 0 < record.parked_until_ms < now_ms - KEEP_MARK_MS:
        return record
    return msgspec.structs.replace(record, parked_baseline=False, parked_until_ms=0)


def mark_before(
    record: MeetingRecord, dates: Mapping[str, DateRecord], start_ms: int, room: str, keys: TenantKeys
) -> SeriesMark | None:
    """How `room` stood on the last witnessed date before `start_ms`; None if it had not declined there, or none is known."""
    earlier = [
        (date.start_ms, date, each)
        for date in dates.values()
        if date.start_ms < start_ms
        for each in date.rooms
        if each.room == room and each.answer in {RoomState.PENDING, RoomState.ACCEPTED, RoomState.DECLINED}
    ]
    if not earlier:
        return record.marks.get(room)
    _, date, each = max(earlier, key=lambda found: found[0])
    return mark_of(record, date, each, keys) if each.answer is RoomState.DECLINED else None


def mark_of(record: MeetingRecord, date: DateRecord, room: RoomRecord, keys: TenantKeys) -> SeriesMark:
    """What a declined room of a date leaves behind."""
    standing = current_decline(record.meeting, date.ref, room, keys)
    declines = tuple(_first_and_last(room, standing))
    return SeriesMark(start_ms=date.start_ms, quiet=room.quiet, declines=declines, put_away=room.put_away)


def _mark(
    marks: dict[str, SeriesMark], record: MeetingRecord, date: DateRecord, room: RoomRecord, keys: TenantKeys
) -> None:
    if room.answer is RoomState.DECLINED:
        marks[room.room] = mark_of(record, date, room, keys)
    elif room.answer in {RoomState.PENDING, RoomState.ACCEPTED}:
        marks.pop(room.room, None)


def _first_and_last(room: RoomRecord, standing: str) -> Iterator[str]:
    if room.follows:
        yield room.follows[0]
    if standing:
        yield standing
