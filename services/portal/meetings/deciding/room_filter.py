"""What somebody asks of a room beside its being free, what they can ask for, and what asking less would show. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from shared.contracts.rows import RoomRow
from shared.domain.equipment import MAX_EQUIPMENT, MAX_NAME_CHARS
from shared.language.deciding.sentences import say, say_many

MAX_CHARS = 120
MAX_SEATS = 9_999
MAX_OPTIONS = 200
"""Of one filter: a list that is longer is no help, and every answer carries it."""


class Condition(StrEnum):
    """One thing that is asked; its value is the name of the field."""

    BUILDING = "building"
    FLOOR = "floor"
    SEATS = "seats"
    EQUIPMENT = "equipment"
    ACCESSIBLE = "accessible"


CONDITION_WORDS = {
    Condition.BUILDING: say("Building"),
    Condition.FLOOR: say("Floor"),
    Condition.SEATS: say("Seats at least"),
    Condition.EQUIPMENT: say("Equipment"),
    Condition.ACCESSIBLE: say("Wheelchair access"),
}


class RoomFilterFields(msgspec.Struct, frozen=True):
    """Which rooms are wanted; what is left out is not asked."""

    building: Annotated[str, Meta(max_length=MAX_CHARS, examples=["North"])] = ""
    """Only rooms of this building."""
    floor: Annotated[str, Meta(max_length=MAX_CHARS, examples=["4"])] = ""
    """Only rooms on this floor."""
    equipment: Annotated[
        tuple[Annotated[str, Meta(max_length=MAX_NAME_CHARS, examples=["Screen"])], ...],
        Meta(max_length=MAX_EQUIPMENT),
    ] = ()
    """Only rooms that have all of this, by the names that `options` gives."""
    accessible: bool = False
    """Only rooms of which it is known that they can be used with a wheelchair."""


class SeatedFilterFields(RoomFilterFields, frozen=True):
    """The same, where the number of people does not say it all."""

    seats: Annotated[int, Meta(ge=0, le=MAX_SEATS)] = 0
    """Only rooms that are known to have as many seats."""


@dataclass(frozen=True, slots=True)
class RoomFilter:
    """What is asked; texts count without regard to case."""

    building: str = ""
    floor: str = ""
    seats: int = 0
    equipment: tuple[str, ...] = ()
    accessible: bool = False

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What is asked at all."""
        return tuple(each for each in Condition if getattr(self, each))

    @property
    def query(self) -> str:
        """The same as the parameters of an address."""
        named = {each.value: getattr(self, each) for each in self.conditions}
        return urlencode({name: 1 if value is True else value for name, value in named.items()}, doseq=True)

    def find_missed(self, room: RoomRow) -> tuple[Condition, ...]:
        """What is asked and not met by a room; what nobody said of it counts as not met."""
        has = {name.casefold() for name in room.equipment}
        met = {
            Condition.BUILDING: self.building.casefold() == room.building.casefold(),
            Condition.FLOOR: self.floor.casefold() == room.floor.casefold(),
            Condition.SEATS: self.seats <= room.capacity,
            Condition.EQUIPMENT: all(name.casefold() in has for name in self.equipment),
            Condition.ACCESSIBLE: room.accessible is True,
        }
        return tuple(each for each in self.conditions if not met[each])

    def without(self, conditions: Iterable[Condition]) -> RoomFilter:
        """The same with less asked."""
        return replace(self, **{each.value: getattr(NO_FILTER, each) for each in conditions})


NO_FILTER = RoomFilter()


def filter_of(fields: RoomFilterFields) -> RoomFilter:
    """What was sent, as what is asked."""
    seats = fields.seats if isinstance(fields, SeatedFilterFields) else 0
    equipment = tuple(filter(None, dict.fromkeys(" ".join(name.split()) for name in fields.equipment)))
    return RoomFilter(fields.building, fields.floor, seats, equipment, fields.accessible)


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """What filters can be set to: what the rooms to choose from have."""

    buildings: Sequence[str] = ()
    floors: Sequence[str] = ()
    """Of the building that is asked for, if one is."""
    equipment: Sequence[str] = ()
    accessible: bool = False
    """Whether a wheelchair is known to get into any of them."""


NO_OPTIONS = FilterOptions()


def list_options(rooms: Iterable[RoomRow], wanted: RoomFilter) -> FilterOptions:
    """List what `rooms` have; of more than can be shown, what most of them have."""
    found, building = tuple(rooms), wanted.building.casefold()
    near = [each for each in found if not building or each.building.casefold() == building]
    return FilterOptions(
        _most_common(each.building for each in found),
        _most_common(each.floor for each in near),
        _most_common(name for each in found for name in each.equipment),
        any(each.accessible for each in found),
    )


@dataclass(frozen=True, slots=True)
class Widening:
    """Asking less, and what it would show."""

    without: tuple[Condition, ...]
    rooms: int
    """How many rooms are free then, as far as they were asked about."""
    left: RoomFilter
    """What is still asked."""

    @property
    def words(self) -> str:
        """For a person to read."""
        one_filter = len(self.without) == 1
        if one_filter:
            return say_many(
                "Without “{filter}”, {count} room is free.",
                "Without “{filter}”, {count} rooms are free.",
                self.rooms,
                filter=CONDITION_WORDS[self.without[0]],
            )
        return say_many(
            "Without any filter, {count} room is free.", "Without any filter, {count} rooms are free.", self.rooms
        )


def find_widenings(free: Iterable[RoomRow], wanted: RoomFilter) -> tuple[Widening, ...]:
    """
    Find which one condition keeps rooms away that are free; where no single one does, all of them.

    Args:
        free: Rooms that are free and not as wanted.
        wanted: What is asked.
    """
    missed = [wanted.find_missed(each) for each in free]
    alone = Counter(conditions[0] for conditions in missed if len(conditions) == 1)
    if alone or not missed:
        return tuple(
            Widening((each,), alone[each], wanted.without((each,))) for each in wanted.conditions if alone[each]
        )
    return (Widening(wanted.conditions, len(missed), NO_FILTER),)


def _most_common(texts: Iterable[str]) -> Sequence[str]:
    """Each text once, whatever its case, in order."""
    spelt, counts = dict[str, str](), Counter[str]()
    for text in filter(None, texts):
        counts[spelt.setdefault(text.casefold(), text)] += 1
    return sorted((text for text, _ in counts.most_common(MAX_OPTIONS)), key=_in_order)


def _in_order(text: str) -> tuple[bool, int, str]:
    """Numbers by their size, before words."""
    number = int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdecimal() and len(text) < 6 else None  # noqa: PLR2004
    return number is None, number or 0, text.casefold()
