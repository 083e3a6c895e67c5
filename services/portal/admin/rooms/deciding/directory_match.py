"""Which room of the list a room of the provider's directory is, and what the list knows of it afterwards. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import msgspec

from shared.contracts.rows import RoomProof, RoomRow
from shared.domain.email_addresses import MAX_CHARS as MAX_ADDRESS_CHARS
from shared.domain.equipment import equipment_of
from shared.domain.room_texts import MAX_DESCRIPTION_CHARS, MAX_LINE_CHARS, MAX_SEATS, MAX_SECTION_CHARS, one_line
from shared.domain.sighting import DirectoryRoom

MAX_ALIASES = 16
"""Addresses kept beside the primary one; the newest ones, where a room was renamed more often."""
_MAX_ID_CHARS = 200


def plain_listing(listed: Iterable[DirectoryRoom]) -> list[DirectoryRoom]:
    """
    What a directory lists, within the bounds of what an administrator may enter: it is kept, and shown to everybody who books.

    Rooms whose address is none are left out: nobody can invite them.
    """
    return [_plain_room(each) for each in listed if _is_one_word(each.address, MAX_ADDRESS_CHARS)]


def _plain_room(room: DirectoryRoom) -> DirectoryRoom:
    return dataclasses.replace(
        room,
        name=one_line(room.name, MAX_LINE_CHARS) or room.address[:MAX_LINE_CHARS],
        capacity=min(max(room.capacity, 0), MAX_SEATS),
        building=one_line(room.building, MAX_LINE_CHARS),
        floor=one_line(room.floor, MAX_LINE_CHARS),
        directory_id=room.directory_id if _is_one_word(room.directory_id, _MAX_ID_CHARS) else "",
        equipment=equipment_of(one_line(each, MAX_LINE_CHARS) for each in room.equipment),
        section=None if room.section is None else one_line(room.section, MAX_SECTION_CHARS),
        description=None if room.description is None else one_line(room.description, MAX_DESCRIPTION_CHARS),
    )


def _is_one_word(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable() and " " not in text


def index_rooms(rooms: Mapping[str, RoomRow]) -> dict[str, str]:
    """Every name by which a room of the list is found → room id: its directory id, its address, its former addresses."""
    index: dict[str, str] = {}
    for room_id, row in rooms.items():
        for name in (row.directory_id, row.address, *row.aliases):
            if name:
                index.setdefault(name.lower(), room_id)
    return index


def match_room(index: Mapping[str, str], listed: DirectoryRoom) -> str | None:
    """The id of the room that `listed` is, by its directory id first, since addresses change; None for a new one."""
    return index.get(listed.directory_id.lower()) or index.get(listed.address.lower())


def merge_listing(listed: DirectoryRoom, before: RoomRow | None) -> RoomRow:
    """
    The row after the directory has spoken: its word on name, seats and place wherever it says anything; pairing stays.

    A former address becomes an alias, since mail to it still reaches the room. Section and description are nobody's but the
    directory's: where it has these fields, an empty one empties them.
    """
    row = before or RoomRow(address=listed.address, name=listed.name)
    address = listed.address.lower()
    names = dict.fromkeys(name for name in (*row.aliases, row.address) if name != address)
    return msgspec.structs.replace(
        row,
        address=address,
        aliases=tuple(names)[-MAX_ALIASES:],
        name=listed.name or row.name,
        capacity=listed.capacity or row.capacity,
        building=listed.building or row.building,
        floor=listed.floor or row.floor,
        resource=RoomProof.DIRECTORY,
        directory_id=listed.directory_id or row.directory_id,
        equipment=listed.equipment or row.equipment,
        accessible=row.accessible if listed.accessible is None else listed.accessible,
        section=row.section if listed.section is None else listed.section,
        description=row.description if listed.description is None else listed.description,
    )
