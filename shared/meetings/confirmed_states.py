"""How much of what is said of rooms that are needed soon was confirmed a moment ago. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.contracts.meeting_state import DateRecord, MeetingRecord, RoomState
from shared.domain.instants import DAY_MS, MINUTE_MS

UPCOMING_MS = DAY_MS
"""A date is upcoming from so long before it begins until it begins."""
CONFIRMED_MS = 15 * MINUTE_MS
"""What was read from its calendar no longer ago is confirmed."""
_SAID = (RoomState.PENDING, RoomState.ACCEPTED, RoomState.DECLINED, RoomState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ConfirmedStates:
    """Of the states of rooms on upcoming dates: how many there are, and how many were confirmed."""

    upcoming: int = 0
    confirmed: int = 0
    out_of_sight: int = 0
    """Not among these: rooms of which nothing is said, because nobody who could be believed is connected, or shows them."""

    @property
    def percent(self) -> float | None:
        """The confirmed ones in percent, never rounded up to 100; None while nothing is upcoming."""
        return None if not self.upcoming else self.confirmed * 10_000 // self.upcoming / 100

    def __add__(self, other: ConfirmedStates) -> ConfirmedStates:
        """Both together."""
        return ConfirmedStates(
            self.upcoming + other.upcoming,
            self.confirmed + other.confirmed,
            self.out_of_sight + other.out_of_sight,
        )


def count_confirmed(
    meetings: Iterable[MeetingRecord], checked_ms: Mapping[str, int], connected: Collection[str], now_ms: int
) -> ConfirmedStates:
    """
    Count the states of rooms on dates that begin within a day.

    A state is confirmed if the mailbox that speaks of its date was looked at to the end in the last quarter of an hour. One whose
    mailbox is connected and could not be read for so long is not, although it is shown as unknown by then.

    Args:
        meetings: Of one organisation, each once.
        checked_ms: Mailbox → when it was last looked at to the end, epoch milliseconds.
        connected: The mailboxes with a grant that has not ended.
        now_ms: Epoch milliseconds.
    """
    upcoming = confirmed = out_of_sight = 0
    for date in _dates(meetings, now_ms):
        rooms = sum(room.state in _SAID for room in date.rooms)
        fresh = checked_ms.get(date.speaker, 0) > now_ms - CONFIRMED_MS
        if date.speaker not in connected or (fresh and not date.in_sight):
            out_of_sight += rooms
            continue
        upcoming += rooms
        confirmed += rooms if fresh else 0
    return ConfirmedStates(upcoming, confirmed, out_of_sight)


def _dates(meetings: Iterable[MeetingRecord], now_ms: int) -> Iterator[DateRecord]:
    return (each for meeting in meetings for each in meeting.dates if 0 < each.begins - now_ms <= UPCOMING_MS)
