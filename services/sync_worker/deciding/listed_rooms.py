"""
The rooms of an organisation's list, found by any of their addresses. Pure.

A room keeps the id of the first address that it was known by, whatever the directory calls it later. Only what stands in the
list and is proven to be a room (`RoomRow.proof`) is one to watch: a colleague's address that somebody entered as a room stays
that of a person, and projectors, cars and the rooms of other organisations are resources too. What a meeting calls its
attendees does not matter: whoever writes the meeting writes that word, at Graph `type`
(https://learn.microsoft.com/graph/api/resources/attendeebase) as at Google `resource`
(https://developers.google.com/workspace/calendar/api/v3/reference/events: "can only be set when the attendee is added").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.contracts.rows import RoomRow


@dataclass(frozen=True, slots=True)
class ListedRooms:
    """The proven rooms of one organisation's list, by address."""

    by_address: Mapping[str, str] = field(default_factory=dict)
    """Address as mail compares it → room id."""

    @classmethod
    def of(cls, rows: Iterable[tuple[str, RoomRow]]) -> ListedRooms:
        """The list from its rows, by room id. Where two rooms claim an address, the one whose own address it is has it."""
        listed = [(room, row) for room, row in rows if row.confirmed]
        by_address = {plain_address(alias): room for room, row in listed for alias in row.aliases}
        return cls(by_address | {plain_address(row.address): room for room, row in listed})

    def room_at(self, address: str) -> str:
        """The id of the room that is invited under this address; "" where none is."""
        return self.by_address.get(plain_address(address), "")


def plain_address(text: str) -> str:
    """An address as mail compares it: without surrounding blanks or a display name around it, in lower case."""
    inner = text.rpartition("<")[2].partition(">")[0] if "<" in text else text
    return inner.strip().lower()
