"""
How a room answered within a month, as counts: what it was asked and how long it took, and nobody's meetings.

On `meeting-state`, `tenant/~2026-12-01.3.room` holds the RoomTally of partition 3 of the meetings for that room and month, sealed
as every record there, and written in the commit of what it counts. The key begins as that of a DayTally of the first of the month:
it is forgotten as those are, 62 days after, also by versions that do not know it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import msgspec

from shared.contracts.day_tally import day_of, is_tally, tally_key

TYPE = "room-tally"
_PARTS = 3
"""Of the name of such a record: month, partition, room."""


class RoomTally(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Counts of one room. Each has a fixed set of names (`shared.meetings.room_conditions`), so the record stays small."""

    waits: dict[str, int] = {}
    """Seconds within which an answer came, as text → how many did. Answers that nobody waited for are left out."""
    accepted: dict[str, int] = {}
    """Condition of a request → how many of its kind were accepted; "" for all."""
    declined: dict[str, int] = {}
    """Condition of a request → how many of its kind were declined; "" for all."""


def add_room_tallies(tallies: Iterable[RoomTally]) -> RoomTally:
    """Sum counts name by name."""
    found = list(tallies)
    return RoomTally(
        waits=_sum(each.waits for each in found),
        accepted=_sum(each.accepted for each in found),
        declined=_sum(each.declined for each in found),
    )


def month_of(at_ms: int) -> str:
    """The first day of the month of an instant, `YYYY-MM-01`, in UTC."""
    return f"{day_of(at_ms)[:7]}-01"


def room_tally_key(tenant: str, month: str, partition: int, room: str) -> bytes:
    """The key of a RoomTally on `meeting-state`, and of its row in the view."""
    return tally_key(tenant, month, partition) + b"." + room.encode()


def is_room_tally(key: bytes) -> bool:
    """Whether a key of `meeting-state` is that of a RoomTally."""
    return is_tally(key) and key.count(b".") == _PARTS - 1


def read_room(key: bytes) -> str:
    """The room in a key for which `is_room_tally` holds."""
    return key.decode().rsplit(".", 1)[1]


def room_tally_owners(tenant: str, room: str = "") -> tuple[str, ...]:
    """Under which owners the view keeps the tallies of all rooms of an organisation and, if one is named, those of `room` alone."""
    every = f"{tenant}/~rooms"
    return (every, f"{tenant}/~{room}") if room else (every,)


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for name, much in chain.from_iterable(each.items() for each in counts):
        total[name] = total.get(name, 0) + much
    return total
