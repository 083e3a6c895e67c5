"""Counts how rooms answer, by what they were asked and how long they took, as a change of a meeting's record shows it. Pure."""

from __future__ import annotations

from collections import Counter

from services.room_status.deciding.counting import begins_anew, name_answer
from shared.contracts.meeting_state import MeetingRecord, RoomRecord
from shared.contracts.room_tally import month_of
from shared.meetings.room_conditions import conditions_of, wait_of

RoomCounts = Counter[tuple[str, str, str, str]]
"""Month, room, name of a field of `RoomTally`, and a name in it → how much is added."""


def count_answers(before: MeetingRecord, after: MeetingRecord) -> RoomCounts:
    """
    Count the answers that came with one change of a meeting.

    A refusal that stood before anybody looked is left out: it says nothing of when the room was asked.

    Args:
        before: The record as it was; without dates for a meeting that was not known.
        after: The record as it is.
    """
    counts: RoomCounts = Counter()
    known = {(date.ref, room.room): room for date in before.dates for room in date.rooms}
    series = len(after.dates) > 1 or bool(after.marks)
    for date in after.dates:
        for room in date.rooms:
            earlier = known.get((date.ref, room.room))
            answer = name_answer(earlier, room, is_new=begins_anew(earlier, room))
            if answer in {"accepted", "declined"}:
                _count(counts, room, answer, series=series)
    return counts


def _count(counts: RoomCounts, room: RoomRecord, answer: str, *, series: bool) -> None:
    month = month_of(room.answered_at_ms)
    for condition in ("", *conditions_of(room.start_ms, room.end_ms, room.asked_at_ms, series=series)):
        counts[month, room.room, answer, condition] += 1
    waited_ms = room.answered_at_ms - room.asked_at_ms
    if waited_ms > 0:
        counts[month, room.room, "waits", wait_of(waited_ms)] += 1
