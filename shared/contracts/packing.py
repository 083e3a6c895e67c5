"""Packs records for where many of them are held: their sealed bytes as they are instead of as text, and no names of fields."""

from __future__ import annotations

import msgspec

from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.decoders import msgpack_decoder
from shared.errors import MalformedRecordError

_AS_IT_IS = b"\0"
"""In front of what is no envelope of ours; an array of MessagePack never begins with it."""


class _Fields(msgspec.Struct, frozen=True, array_like=True):
    """The fields of a sealed envelope, in the order in which they are packed."""

    sealed: bytes
    id: str
    type: str
    v: int
    tenant: str
    correlation: str
    causation: str
    era: str
    rules: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgpack_decoder(_Fields)


def pack(value: bytes) -> bytes:
    """Pack a record's value. Whatever is no sealed envelope, written exactly as ours are, is kept as it is."""
    try:
        envelope = envelopes.decode(value)
    except MalformedRecordError:
        return _AS_IT_IS + value
    if envelope.sealed is None or envelopes.encode(envelope) != value:
        return _AS_IT_IS + value
    return _encoder.encode(_Fields(**{name: getattr(envelope, name) for name in _Fields.__struct_fields__}))


def unpack(packed: bytes) -> bytes:
    """The value that `pack` was given, byte for byte; what it did not return is given back, to be refused where it is opened."""
    if packed.startswith(_AS_IT_IS):
        return packed[1:]
    try:
        fields = _decoder.decode(packed)
    except msgspec.DecodeError:
        return packed
    return envelopes.encode(Envelope(**msgspec.structs.asdict(fields)))
