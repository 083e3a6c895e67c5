"""
Whether a room said no to a whole series, so that one change of the series can take another room on all its dates. Pure.

A change of a series reaches the dates that are past too, at Google as in Exchange: they are no records of their own but follow
the series (developers.google.com/workspace/calendar/api/guides/recurringevents; [MS-OXOCAL] 2.2.1.44). So it is made only
while no date is over, and what has been stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from shared.domain.attendees import Answer, weight_of
from shared.domain.instants import DAY_MS
from shared.domain.sighting import LiveAttendee, LiveMeeting, LiveSeries, Window

BOOKED_AHEAD_MS = 180 * DAY_MS
"""How far ahead a room answers for its dates: it is booked no further, by default (Exchange, `BookingWindowInDays`)."""
AHEAD_MS = 730 * DAY_MS
"""How far ahead dates are read that stand apart: a weekly series has 105 by then, which is two pages of Graph's."""
IsRoom = Callable[[str], bool]
"""Whether an attendee's address is that of the room in question."""


class SeriesObjection(StrEnum):
    """Why a series is not changed as a whole."""

    NOT_YOURS = "not-yours"
    """Only its organiser changes a series."""
    BEGUN = "begun"
    """A date is over: a change would rewrite it."""
    NOT_REFUSED = "not-refused"
    """The room does not say no to the series itself, whatever it says to its dates."""
    REFUSED_IN_PART = "refused-in-part"
    """The room has not said no to a date for which it could be booked by now."""


def series_window(now_ms: int) -> Window:
    """The stretch of time in which the dates of a series are read."""
    return Window(now_ms, now_ms + AHEAD_MS)


def find_objection(series: LiveSeries, is_room: IsRoom, now_ms: int) -> SeriesObjection | None:
    """
    Say why the room of `series` cannot be replaced by one change; None if it can.

    Args:
        series: As it is now.
        is_room: Whether an address is that of the room that declined.
        now_ms: Epoch milliseconds.
    """
    room = room_of(series.master, is_room)
    if not series.master.is_organizer:
        return SeriesObjection.NOT_YOURS
    if room is None or room.answer != Answer.DECLINED:
        return SeriesObjection.NOT_REFUSED
    if ends_of(series.master) <= now_ms:
        return SeriesObjection.BEGUN
    to_answer = [date for date in _to_come(series, now_ms) if date.start_ms < now_ms + BOOKED_AHEAD_MS]
    answers = [room_of(date, is_room) for date in to_answer]
    if any(each is not None and each.answer != Answer.DECLINED for each in answers):
        return SeriesObjection.REFUSED_IN_PART
    return None


def dates_apart(series: LiveSeries, is_room: IsRoom, now_ms: int) -> tuple[LiveMeeting, ...]:
    """The dates to come that keep their own attendees, with the declined room among them: each is changed for itself."""
    return tuple(
        date
        for date in _to_come(series, now_ms)
        if date.event_id in series.apart and (room := room_of(date, is_room)) and room.answer == Answer.DECLINED
    )


def room_of(meeting: LiveMeeting, is_room: IsRoom) -> LiveAttendee | None:
    """The room in question as the meeting shows it, by the answer that counts; None where it is not invited."""
    invited = [each for each in meeting.attendees if is_room(each.address)]
    return max(invited, key=lambda each: weight_of(each.answer), default=None)


def ends_of(meeting: LiveMeeting) -> int:
    """When a meeting is over, epoch milliseconds."""
    return meeting.ends_ms or meeting.end_ms


def _to_come(series: LiveSeries, now_ms: int) -> list[LiveMeeting]:
    return [date for date in series.dates if not date.cancelled and ends_of(date) > now_ms]
