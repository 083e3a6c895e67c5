"""
The rooms of an organisation's list, found by any of their addresses. Pure.

A room keeps the id of the first address that it was known by, whatever the directory calls it later. Only what stands in the
list is a room to watch: projectors, cars and the rooms of other organisations are resources too. An address in the list counts
where the provider calls the attendee a resource, or the directory has called the address a room: a person's address that
somebody entered as a room stays a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.contracts.rows import RoomRow
from shared.domain.attendees import AttendeeKind, SeenAttendee

CONFIRMED_BY_ATTENDEE = "attendee"


@dataclass(frozen=True, slots=True)
class ListedRooms:
    """The list of one organisation, by address."""

    by_address: Mapping[str, str] = field(default_factory=dict)
    """Address as mail compares it → room id."""
    confirmed: frozenset[str] = frozenset()
    """Ids of the rooms that the provider has called rooms."""

    @classmethod
    def of(cls, rows: Iterable[tuple[str, RoomRow]]) -> ListedRooms:
        """The list from its rows, by room id. Where two rooms claim an address, the one whose own address it is has it."""
        listed = list(rows)
        by_address = {plain_address(alias): room for room, row in listed for alias in row.aliases}
        by_address |= {plain_address(row.address): room for room, row in listed}
        return cls(by_address, frozenset(room for room, row in listed if row.resource))

    def room_of(self, attendee: SeenAttendee) -> str:
        """The id of the room that is invited under this attendee's address; "" where none is."""
        room = self.by_address.get(plain_address(attendee.address), "")
        return room if room in self.confirmed or attendee.kind is AttendeeKind.ROOM else ""

    def newly_confirmed(self, attendees: Iterable[SeenAttendee]) -> frozenset[str]:
        """Listed rooms that nobody has confirmed yet, and that a calendar names as resources."""
        named = {self.room_of(attendee) for attendee in attendees if attendee.kind is AttendeeKind.ROOM}
        return frozenset(named - self.confirmed - {""})


def plain_address(text: str) -> str:
    """An address as mail compares it: without surrounding blanks or a display name around it, in lower case."""
    inner = text.rpartition("<")[2].partition(">")[0] if "<" in text else text
    return inner.strip().lower()
