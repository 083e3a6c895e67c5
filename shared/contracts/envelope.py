"""The metadata round every internal record: id, type, schema version, tenant, correlation, causation."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shared.decoders import json_decoder
from shared.errors import MalformedRecordError

T = TypeVar("T")


NOTHING = msgspec.Raw(b"")


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What stands on an internal topic.

    Exactly one of `payload` (open: hints, commands, dead letters) and `sealed` (bytes under the tenant's data key, bound to
    type and tenant) is set.
    """

    id: str
    type: str
    """The payload's type name, e.g. `observation`."""
    v: int = 1
    """Schema version of the payload. Readers take every version up to their own."""
    tenant: str
    correlation: str = ""
    """One journey: the id of the hint or command that began it."""
    causation: str = ""
    """The record before."""
    payload: msgspec.Raw = NOTHING
    sealed: bytes | None = None
    era: str = ""
    """Which of the tenant's successive data keys sealed it; "" before eras were written down."""
    rules: int = 0
    """The version of the rules that decided what is sealed, of a meeting's record; 0: an earlier one than 3, or no decision."""


_encoder = msgspec.json.Encoder()
_decoder = json_decoder(Envelope)


def encode(envelope: Envelope) -> bytes:
    """As JSON bytes."""
    return _encoder.encode(envelope)


def decode(value: bytes) -> Envelope:
    """Read an envelope. Raises MalformedRecordError with msgspec's path to the fault."""
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"not an envelope: {error}"
        raise MalformedRecordError(message) from error


def payload_of(envelope: Envelope, kind: type[T]) -> T:
    """Read an open payload as `kind`. Raises MalformedRecordError."""
    if not bytes(envelope.payload):
        message = f"{envelope.type} {envelope.id} carries no open payload"
        raise MalformedRecordError(message)
    return read_json(bytes(envelope.payload), kind)


def read_json(raw: bytes, kind: type[T]) -> T:
    """Decode JSON bytes as `kind`. Raises MalformedRecordError."""
    try:
        return json_decoder(kind).decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:  # nested deeper than the decoder follows
        message = f"not a {getattr(kind, '__name__', kind)}: {error}"
        raise MalformedRecordError(message) from error
