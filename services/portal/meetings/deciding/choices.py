"""Which rooms one could take instead, nearest first, and why there is none. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.rows import RoomRow
from shared.domain.sighting import Availability

MAX_CANDIDATES = 20  # one free/busy call at either provider
LABEL = "free now, not confirmed"


class NoChoice(StrEnum):
    """Why there is nothing to choose from."""

    NO_ROOMS = "no-rooms"
    NONE_LARGE_ENOUGH = "none-large-enough"
    NONE_FREE = "none-free"
    NOT_VISIBLE = "not-visible"
    NOT_READABLE = "not-readable"


WORDS = {
    NoChoice.NO_ROOMS: "There is no room to choose from. An administrator can enter rooms, and connect them.",
    NoChoice.NONE_LARGE_ENOUGH: "None of the rooms to choose from seats that many people.",
    NoChoice.NONE_FREE: "None of the rooms that are large enough is free at that time. You could move the meeting.",
    NoChoice.NOT_VISIBLE: "Your calendar system does not show you whether these rooms are free.",
    NoChoice.NOT_READABLE: "Your calendar system could not be asked just now. Try again in a moment.",
}


def is_offered(room: RoomRow) -> bool:
    """Whether a room may be proposed to anybody: connected, and proven to be a room."""
    return room.paired and room.confirmed


@dataclass(frozen=True, slots=True)
class RoomCandidate:
    """A room that is large enough, before anybody asked whether it is free."""

    id: str
    room: RoomRow
    same_building: bool
    same_floor: bool

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks for it, for a person to read."""
        place = ("same floor",) if self.same_floor else ("same building",) if self.same_building else ()
        return (*place, f"seats {self.room.capacity}" if self.room.capacity else "capacity not known")


@dataclass(frozen=True, slots=True)
class Choices:
    """Rooms that were free when asked, or why there is none."""

    rooms: tuple[RoomCandidate, ...]
    empty: NoChoice | None


def candidates(
    rooms: Mapping[str, RoomRow], declined: str, asked: Collection[str], people: int
) -> tuple[Sequence[RoomCandidate], NoChoice | None]:
    """
    The rooms worth asking about, nearest to the one that declined first: building, floor, then the closest fit.

    Args:
        rooms: Room id → room, of the whole organisation.
        asked: Rooms that the meeting has asked already.
        people: How many seats are needed. A room of unknown capacity stays in, behind those that are known to fit.
    """
    others = {room_id: room for room_id, room in rooms.items() if room_id != declined and room_id not in asked}
    if not others:
        return (), NoChoice.NO_ROOMS
    near = rooms.get(declined)
    fitting = [_candidate(room_id, room, near) for room_id, room in others.items() if not 0 < room.capacity < people]
    ranked = sorted(fitting, key=lambda each: _distance(each, people))
    return ranked[:MAX_CANDIDATES], None if ranked else NoChoice.NONE_LARGE_ENOUGH


def combine_availability(said: Sequence[Mapping[str, Availability]]) -> Mapping[str, Availability]:
    """What free/busy said of each room on several dates, as one word: busy on one is busy, unknown on one is not free."""
    found: dict[str, Availability] = {}
    for address in {address for each in said for address in each}:
        words = {each.get(address, Availability.UNKNOWN) for each in said}
        found[address] = next(
            word for word in (Availability.BUSY, Availability.UNKNOWN, Availability.FREE) if word in words
        )
    return found


def free(ranked: Sequence[RoomCandidate], said: Mapping[str, Availability]) -> Choices:
    """
    Those that free/busy calls free, in their order.

    Args:
        said: Room address (lower-cased) → what free/busy said of it. UNKNOWN and absent are not free.
    """
    found = tuple(each for each in ranked if said.get(each.room.address.lower()) is Availability.FREE)
    if found or not ranked:
        return Choices(found, None if found else NoChoice.NO_ROOMS)
    seen = any(said.get(each.room.address.lower()) is Availability.BUSY for each in ranked)
    return Choices((), NoChoice.NONE_FREE if seen else NoChoice.NOT_VISIBLE)


def _candidate(room_id: str, room: RoomRow, near: RoomRow | None) -> RoomCandidate:
    same_building = near is not None and bool(room.building) and room.building == near.building
    same_floor = same_building and near is not None and bool(room.floor) and room.floor == near.floor
    return RoomCandidate(room_id, room, same_building, same_floor)


def _distance(each: RoomCandidate, people: int) -> tuple[bool, bool, bool, int, str]:
    unknown = each.room.capacity == 0
    return (not each.same_building, not each.same_floor, unknown, each.room.capacity - people, each.room.name)
