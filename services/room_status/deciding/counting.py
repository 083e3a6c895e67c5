"""
Counts what a change of a meeting's record says: rooms asked and answered, and meetings that changed after a decline. Pure.

The record before and after are compared; nothing else is asked. What cannot be told apart there is counted together: a room that
is let go is the same whether its organiser chose to do without, cancelled the meeting, or the calendar system replaced it itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from services.room_status.deciding.expiry import is_over
from shared.contracts.day_tally import day_of
from shared.contracts.meeting_state import OVER, DateRecord, MeetingRecord, RoomRecord, RoomState

Counts = Counter[tuple[str, str]]
"""Day and name of a field of `DayTally` → how much is added."""
_ASKED = (RoomState.PENDING, RoomState.ACCEPTED, RoomState.DECLINED)


def count_change(before: MeetingRecord, after: MeetingRecord, now_ms: int) -> Counts:
    """
    Count what one change of a meeting says.

    Args:
        before: The record as it was; without dates for a meeting that was not known.
        after: The record as it is; dates that are over have left it.
        now_ms: The time by which they are over, epoch milliseconds.
    """
    counts: Counts = Counter()
    known = {date.ref: date for date in before.dates}
    for date in after.dates:
        _count_date(counts, known.pop(date.ref, None), date)
    for date in known.values():
        if is_over(date, now_ms):
            _count_closed(counts, date)
    return counts


def count_untold(before: MeetingRecord, after: MeetingRecord) -> int:
    """
    Count the dates that began without a room and untold, as one change of a meeting shows it.

    Such a date had asked for a room before it began, no room of it had accepted by then, and that a room has said no was witnessed
    only afterwards. Each date counts once. One whose refusal was told in time, or found by a first look, does not.
    """
    known = {date.ref: date for date in before.dates}
    return sum(_began_untold(known[date.ref], date) for date in after.dates if date.ref in known)


def _began_untold(before: DateRecord, after: DateRecord) -> bool:
    begins_ms = after.begins
    earlier = {room.room: room for room in before.rooms}
    late = any(
        _witnessed_late(room, begins_ms) and room.room in earlier and not begins_anew(earlier[room.room], room)
        for room in after.rooms
    )
    known = any(room.answer is RoomState.DECLINED for room in before.rooms)
    return late and not known and not any(_had(room, begins_ms) for room in (*after.rooms, *before.rooms))


def _witnessed_late(room: RoomRecord, begins_ms: int) -> bool:
    return room.answer is RoomState.DECLINED and room.asked_at_ms <= begins_ms < room.answered_at_ms


def _count_date(counts: Counts, before: DateRecord | None, after: DateRecord) -> None:
    earlier = {room.room: room for room in before.rooms} if before else {}
    begun = [room for room in after.rooms if begins_anew(earlier.get(room.room), room)]
    for room in begun:
        _add(counts, room.asked_at_ms, "asked")
    for room in after.rooms:
        _count_answer(counts, earlier.get(room.room), room, is_new=room in begun)
    for declined in earlier.values():
        _count_noticed(counts, declined, list(earlier.values()), after, begun)


def _count_answer(counts: Counts, before: RoomRecord | None, after: RoomRecord, *, is_new: bool) -> None:
    name = name_answer(before, after, is_new=is_new)
    if name:
        _add(counts, after.answered_at_ms, name)


def name_answer(before: RoomRecord | None, after: RoomRecord, *, is_new: bool) -> str:
    """
    Say as what an answer counts that came between two states of a room: `accepted`, `declined`, `quiet`; "" for none that is new.

    Args:
        before: The room as it was; None: it was not asked.
        after: The room as it is.
        is_new: Whether it is asked anew.
    """
    is_same = before is not None and not is_new and before.answer is after.answer
    match after.answer:
        case RoomState.ACCEPTED if not is_same:
            return "accepted"
        case RoomState.DECLINED if after.quiet:
            return "" if is_same else "quiet"
        case RoomState.DECLINED if not (is_same and before is not None and not before.quiet):
            return "declined"
    return ""


def _count_noticed(
    counts: Counts, declined: RoomRecord, earlier: list[RoomRecord], date: DateRecord, begun: list[RoomRecord]
) -> None:
    """What somebody did about a told decline, once: the first that is done counts."""
    if declined.answer is not RoomState.DECLINED or declined.quiet or _has_substitute(declined, earlier):
        return
    now = next((room for room in date.rooms if room.room == declined.room), None)
    others = [
        room.asked_at_ms for room in begun if room.room != declined.room and room.asked_at_ms > declined.answered_at_ms
    ]
    if now is not None and now.answer in OVER:
        at_ms = now.answered_at_ms
    elif now is not None and (now.start_ms, now.end_ms) != (declined.start_ms, declined.end_ms):
        at_ms = now.asked_at_ms
    elif others:
        at_ms = min(others)
    else:
        return
    _add(counts, at_ms, "noticed")
    _add(counts, at_ms, "noticed_after_ms", max(at_ms - declined.answered_at_ms, 0))


def _has_substitute(declined: RoomRecord, rooms: Iterable[RoomRecord]) -> bool:
    """Whether another room was asked after the decline already: that was counted then."""
    return any(
        room.room != declined.room and room.answer in _ASKED and room.asked_at_ms > declined.answered_at_ms
        for room in rooms
    )


def _count_closed(counts: Counts, date: DateRecord) -> None:
    """A date that is over. One whose rooms were all let go before they accepted may have been cancelled, and is not counted."""
    wanted = [room for room in date.rooms if room.answer in {*_ASKED, RoomState.RELEASED}]
    if not any(room.asked_at_ms <= date.begins for room in wanted):
        return
    _add(counts, date.begins, "meetings")
    _add(counts, date.begins, "unanswered", sum(room.answer is RoomState.PENDING for room in wanted))
    if not any(_had(room, date.begins) for room in wanted):
        _add(counts, date.begins, "roomless")


def _had(room: RoomRecord, begins_ms: int) -> bool:
    """Whether the meeting had the room when it began: one that was released later had accepted until then."""
    if room.answer is RoomState.RELEASED:
        return room.answered_at_ms > begins_ms
    return room.answer is RoomState.ACCEPTED and room.answered_at_ms <= begins_ms


def begins_anew(before: RoomRecord | None, after: RoomRecord) -> bool:
    """Whether the room is asked anew: first seen, asked again after it was let go, or for another time."""
    if after.answer not in _ASKED:
        return False
    if before is None or before.answer not in _ASKED:
        return True
    return (before.start_ms, before.end_ms) != (after.start_ms, after.end_ms)


def _add(counts: Counts, at_ms: int, name: str, much: int = 1) -> None:
    if much:
        counts[day_of(at_ms), name] += much
