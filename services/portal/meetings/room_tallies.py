"""Reads what room_status has counted of how rooms answer."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.room_tally import RoomTally, add_room_tallies, is_room_tally, read_room, room_tally_owners
from shared.crypto.records import open_record
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.view import View


def read_room_tallies(view: View, keys: TenantKeys, room: str = "") -> Mapping[str, RoomTally]:
    """
    Read the counts of an organisation's rooms, of the last month or two.

    It reads a small row for each room, month and partition in which the room answered.

    Args:
        view: Where room_status shows them.
        keys: The organisation's.
        room: Reads those of one room alone; of all, if left out.

    Returns:
        Room id → its counts; none for a room that has not answered.

    Raises:
        StoreUnavailableError: the view cannot be reached.
    """
    found: dict[str, list[RoomTally]] = {}
    for row in view.rows(room_tally_owners(keys.tenant, room)[-1]):
        key = row.key.encode()
        if row.value is None or not is_room_tally(key):
            continue
        try:
            found.setdefault(read_room(key), []).append(open_record(key, row.value, keys, RoomTally))
        except (KeyDestroyedError, MalformedRecordError):
            continue  # of before the organisation was switched off, or damaged: counts are not worth failing for
    return {each: add_room_tallies(tallies) for each, tallies in found.items()}
