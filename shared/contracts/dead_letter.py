"""A record that could not be handled: its bytes, where it came from and why. Nothing is ever only logged."""

from __future__ import annotations

import msgspec

TYPE = "dead-letter"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """As it stands on `dead-letters`, under the source record's key."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    reason: str
    service: str
    attempts: int = 1
    failed_at_ms: int
