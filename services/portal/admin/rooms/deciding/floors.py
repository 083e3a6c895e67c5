"""The floors that an organisation's rooms are on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from shared.contracts.rows import RoomRow
from shared.language.deciding.sentences import join_sentences, say

NOT_SAID = say("Rooms whose place is not said")


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor of a building; either may be "" where nobody said it."""

    building: str
    floor: str

    @property
    def name(self) -> str:
        """How it stands in an address and in forms."""
        return f"{quote(self.building, safe='')}/{quote(self.floor, safe='')}"

    @property
    def words(self) -> str:
        """`Riverside, floor 4`, or `Floor 4` where the building is not said: it stands as a heading."""
        level = (say("floor {floor}") if self.building else say("Floor {floor}")).format(floor=self.floor)
        return join_sentences(self.building, level if self.floor else "", between=", ") or NOT_SAID

    def holds(self, room: RoomRow) -> bool:
        """Whether the room is there."""
        return (room.building, room.floor) == (self.building, self.floor)


def list_floors(rooms: Iterable[RoomRow]) -> Sequence[Floor]:
    """Every floor once, in the order of the rooms."""
    return tuple(dict.fromkeys(Floor(room.building, room.floor) for room in rooms))


def choose_floor(floors: Sequence[Floor], name: str) -> Floor | None:
    """The floor with that name; the first one where there is none such; None where there are no rooms."""
    return next((each for each in floors if each.name == name), floors[0] if floors else None)
