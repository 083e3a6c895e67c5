"""The rooms of one date: what is known of each, and of one that was asked a moment ago what the event itself says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.portal.meetings.deciding.words import STATE_WORDS
from services.portal.my_day.answers import DateRoomShape
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import RoomRow
from shared.domain.attendees import Answer
from shared.domain.keys import TenantKeys
from shared.domain.sighting import AgendaItem, LiveAttendee
from shared.meetings.prompts import RoomLine

_SAID = {Answer.ACCEPTED.value: RoomState.ACCEPTED, Answer.DECLINED.value: RoomState.DECLINED}


class DateRooms:
    """The rooms of a person's dates, out of their own rows of the view."""

    def __init__(self, lines: Sequence[RoomLine], rooms: Mapping[str, RoomRow], keys: TenantKeys) -> None:
        """`rooms` is the organisation's list; ids as `keys` makes them."""
        self._rooms = rooms
        self._keys = keys
        self._ids: dict[str, str] = {}
        """Address → the id that a room of it has: each is reckoned once."""
        self._lines: dict[str, list[RoomLine]] = {}
        for line in lines:
            for name in (line.event_id, line.occurrence):
                self._lines.setdefault(name, []).append(line)

    def is_room(self, attendee: LiveAttendee) -> bool:
        """Whether it is one, by the provider's word or by the organisation's list."""
        return attendee.is_room or self._id_of(attendee.address) in self._rooms

    def of(self, item: AgendaItem, occurrence: str) -> list[DateRoomShape]:
        """Each room of the date once, in words and state."""
        lines = self._lines.get(item.event_id) or self._lines.get(occurrence, [])
        live = {self._id_of(each.address): each for each in item.attendees if self.is_room(each)}
        states = {line.room: line.state for line in lines}
        states |= {room: room_state_of(item, each) for room, each in live.items() if room not in states}
        return [self._shape(room, state, live.get(room)) for room, state in states.items()]

    def _id_of(self, address: str) -> str:
        if address not in self._ids:
            self._ids[address] = self._keys.room(address)
        return self._ids[address]

    def _shape(self, room: str, state: RoomState, live: LiveAttendee | None) -> DateRoomShape:
        row = self._rooms.get(room)
        name = row.name if row else (live.name or live.address) if live else None
        return {"roomId": room, "roomName": name, "state": state, "words": STATE_WORDS[state]}


def room_state_of(item: AgendaItem, room: LiveAttendee) -> RoomState:
    """What a date that nobody has looked at yet says of its room: only the organiser's own copy can be believed."""
    if not item.is_organizer:
        return RoomState.UNKNOWN
    return _SAID.get(room.answer, RoomState.PENDING)
