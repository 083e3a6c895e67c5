"""Taking a room for a whole series: one change of the series, and one of each date that keeps its own attendees."""

from __future__ import annotations

from services.sync_worker.looking.swaps import Swaps
from shared.domain.sighting import LiveSeries, RoomContact
from shared.meetings.series_refusals import (
    IsRoom,
    SeriesObjection,
    dates_apart,
    find_objection,
    room_of,
    series_window,
)
from shared.runtime.crash_points import crash_point

AS_IT_WAS = "your meeting is as it was"
"""Said only where it is certain: not of one that is gone, nor where a write went out and another's came in between."""
_WORDS = {
    SeriesObjection.NOT_YOURS: f"only the organiser can change the rooms of a series; {AS_IT_WAS}",
    SeriesObjection.BEGUN: f"the series has begun, so its dates are changed one by one: choose again; {AS_IT_WAS}",
    SeriesObjection.NOT_REFUSED: f"the room does not refuse the whole series any more: choose again; {AS_IT_WAS}",
    SeriesObjection.REFUSED_IN_PART: f"the room has not refused all dates of the series: choose again; {AS_IT_WAS}",
}


def swap_series(swaps: Swaps, event_id: str, is_declined: IsRoom, room: RoomContact, now_ms: int) -> str:
    """
    Take `room` in the place of the one that declined the whole series; "" when it was, else why not, in words for the page.

    What was changed before a process died is found changed, and is not changed again.

    Args:
        swaps: In the person's calendar.
        event_id: Of any date of the series.
        is_declined: Whether an address is that of the room that declined.
        room: The one to take.
        now_ms: Epoch milliseconds.

    Raises:
        PreconditionFailedError: somebody changed the meeting meanwhile; call again.
        EventGoneError, RefusedError, RetryableError: as the provider says.
    """
    window = series_window(now_ms)
    series = swaps.provider.read_series(swaps.access, event_id, window)
    if series is None:
        return f"the meeting is no series any more; {AS_IT_WAS}"
    if not _is_swapped(series, is_declined, room):
        objection = find_objection(series, is_declined, now_ms)
        if objection is not None:
            return _WORDS[objection]
        crash_point("sync-worker.series-swapping")
        swaps.swap(series.master.event_id, room_of(series.master, is_declined), room)
        crash_point("sync-worker.series-swapped")
        # Once more: a date that said the same as its series could not be told to stand apart; now it names the other room.
        series = swaps.provider.read_series(swaps.access, event_id, window) or series
    for date in dates_apart(series, is_declined, now_ms):
        swaps.swap(date.event_id, room_of(date, is_declined), room)
        crash_point("sync-worker.date-apart-swapped")
    return ""


def _is_swapped(series: LiveSeries, is_declined: IsRoom, room: RoomContact) -> bool:
    invited = {each.address for each in series.master.attendees}
    return room.address.lower() in invited and room_of(series.master, is_declined) is None
