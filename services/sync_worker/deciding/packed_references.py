"""The references of a mailbox at rest: one object of bytes, opened as a whole when something looks at them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from shared.contracts.calendar_state import EventReference
from shared.decoders import msgpack_decoder

NO_REFERENCES = msgspec.msgpack.encode([])

_encoder = msgspec.msgpack.Encoder()
_decoder = msgpack_decoder(list[EventReference])


def pack_references(references: Iterable[EventReference]) -> bytes:
    """Pack references in their order."""
    return _encoder.encode(list(references))


def unpack_references(packed: bytes) -> dict[str, EventReference]:
    """Return what `pack_references` packed: event id → reference."""
    return {reference.event_id: reference for reference in _decoder.decode(packed)}
