"""Which room a test books, and when: the first that is seen to be free, else one that is seen at all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.domain.sighting import Availability, NewMeeting, RoomContact

TITLE = "roomsync test"
LENGTH_MS = 15 * MINUTE_MS  # shorter than any rule about the longest booking
MOST_ROOMS = 20  # of one free/busy question at Microsoft
_AHEAD_MS = (DAY_MS, DAY_MS + 5 * HOUR_MS, 2 * DAY_MS + HOUR_MS, 3 * DAY_MS + 3 * HOUR_MS)

Said = Callable[[Sequence[str], int, int], Mapping[str, Availability]]
"""Room addresses, start, end → free, busy or unknown."""


@dataclass(frozen=True, slots=True)
class RoomChoice:
    """A room and a time for the test's event."""

    room: RoomContact
    start_ms: int
    seen: int
    """How many of the rooms asked for show anything at all."""
    asked: int

    @property
    def end_ms(self) -> int:
        """Exclusive."""
        return self.start_ms + LENGTH_MS

    def meeting(self, request_id: str) -> NewMeeting:
        """The event to be booked; the same `request_id` makes the same event."""
        return NewMeeting(
            request_id=request_id, title=TITLE, start_ms=self.start_ms, end_ms=self.end_ms, rooms=(self.room,)
        )


def place(rooms: Sequence[RoomContact], now_ms: int, said: Said) -> RoomChoice | None:
    """
    A room that is free at one of a few times in the next days; if none is, one that is busy, since a "no" is an answer too.

    Returns:
        None when nothing can be seen of any of them.
    """
    asked = rooms[:MOST_ROOMS]
    fallback: RoomChoice | None = None
    for ahead_ms in _AHEAD_MS:
        start_ms = (now_ms + ahead_ms) // HOUR_MS * HOUR_MS
        answers = said([room.address for room in asked], start_ms, start_ms + LENGTH_MS)
        known = {address.lower(): answer for address, answer in answers.items()}
        visible = [room for room in asked if known.get(room.address.lower(), _UNKNOWN) is not _UNKNOWN]
        if not visible:
            return fallback
        free = [room for room in visible if known[room.address.lower()] is Availability.FREE]
        found = RoomChoice((free or visible)[0], start_ms, len(visible), len(asked))
        if free:
            return found
        fallback = fallback or found
    return fallback


_UNKNOWN = Availability.UNKNOWN
