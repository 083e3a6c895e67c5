"""The wish that room_status tell again what `room-rejections` has lost. It carries no decision: the owner decides anew."""

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
    """Decline ids that a replay of this range gave and that the topic lacked. A hint, like every other."""
