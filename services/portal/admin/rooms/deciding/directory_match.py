"""Which room of the list a room of the provider's directory is, and what the list knows of it afterwards. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shared.contracts.rows import RoomProof, RoomRow
from shared.domain.sighting import DirectoryRoom

MAX_ALIASES = 16
"""Addresses kept beside the primary one; the newest ones, where a room was renamed more often."""


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
