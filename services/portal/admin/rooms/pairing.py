"""Pairing every room that was entered, in one run, once an integration is enabled."""

from __future__ import annotations

import msgspec

from services.portal.deps import Deps
from shared.contracts.rows import RoomRow
from shared.registry import tables


def pair_all(deps: Deps, tenant: str) -> int:
    """
    Join every room of the organisation with its calendar; those that are stay so. Asks no provider: looks do, from now on.

    Returns:
        How many rooms are paired.
    """
    table = tables.rooms(deps.engine.registry)
    rooms = [room for room, _ in table.scan(tenant)]
    for room in rooms:
        table.change(tenant, room, _paired)
    return len(rooms)


def _paired(row: RoomRow | None) -> RoomRow | None:
    return msgspec.structs.replace(row, paired=True) if row else None
