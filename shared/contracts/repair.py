"""The wish that room_status publish again what `room-rejections` or `room-outcomes` has lost. It carries no decision."""

from __future__ import annotations

import msgspec

TYPE = "repair"


class Repair(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Stands on `repairs` (open: it says nothing of anybody), in the partition whose decisions are asked for."""

    begin: int
    """Offset of the first observation to decide again, upon the state as it was before it."""
    end: int
    """Offset after the last one."""
    ids: tuple[str, ...]
    """Ids of events that a replay of this range gave and that their topics lacked. A hint, like every other."""
