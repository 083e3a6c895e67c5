"""
The records of a meeting at rest: one object of bytes, opened when one of them is asked for. Pure.

It is held in memory alone, and never stored: its form may change with the program. What it gives back are the records byte for
byte, since the view and its digests are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_state import COPY_TYPE, ENDED_COPY_TYPE, MEETING_TYPE
from shared.decoders import json_decoder, msgpack_decoder
from shared.errors import MalformedRecordError

_KNOWN = (ENDED_COPY_TYPE, COPY_TYPE, MEETING_TYPE, "")
"""Words that most records have; they and the organisation's id are not written out."""
_AS_IT_IS = -1
"""The type of what is no envelope of ours."""


class _Typed(msgspec.Struct):
    """As much of an envelope as says what is sealed in it."""

    type: str = ""


class PackedRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record without what it shares with those beside it: each word is a number in their list of words."""

    sealed: bytes
    type: int
    v: int = 1
    id: int = 0
    tenant: int = 0
    correlation: int = 0
    causation: int = 0
    era: int = 0
    rules: int = 0

    @property
    def is_ended(self) -> bool:
        """Whether it is the record of a copy that ended."""
        return self.type == 0 if self.type != _AS_IT_IS else is_ended(self.sealed)


class OpenedRecords:
    """The records of a meeting by what follows in their keys, to be read and changed."""

    __slots__ = ("_words", "records")

    def __init__(self, tenant: str, packed: bytes | None = None) -> None:
        """`packed` is what `pack` returned for the same `tenant`; None: there are none."""
        words, self.records = _decoder.decode(packed) if packed else ((), {})
        self._words = [*_KNOWN, tenant, *words]

    def value(self, rest: str) -> bytes:
        """The record under a key that ends so. Raises KeyError."""
        packed, words = self.records[rest], self._words
        if packed.type == _AS_IT_IS:
            return packed.sealed
        return envelopes.encode(
            Envelope(
                id=words[packed.id],
                type=words[packed.type],
                v=packed.v,
                tenant=words[packed.tenant],
                correlation=words[packed.correlation],
                causation=words[packed.causation],
                sealed=packed.sealed,
                era=words[packed.era],
                rules=packed.rules,
            )
        )

    def put(self, rest: str, value: bytes | None) -> None:
        """Take a record in, or (None) out, if it is there."""
        self.records.pop(rest, None)
        if value is None:
            return
        try:
            envelope = envelopes.decode(value)
        except MalformedRecordError:
            envelope = None
        if envelope is None or envelope.sealed is None or envelopes.encode(envelope) != value:
            self.records[rest] = PackedRecord(value, _AS_IT_IS)
        else:
            self.records[rest] = self._packed(envelope, envelope.sealed)

    def pack(self) -> bytes:
        """All of them, for a later `OpenedRecords` of the same tenant."""
        used = {
            number
            for record in self.records.values()
            if record.type != _AS_IT_IS
            for number in (record.id, record.type, record.tenant, record.correlation, record.causation, record.era)
        }
        least = len(_KNOWN) + 1
        if used.issuperset(range(least, len(self._words))):
            return _encoder.encode((self._words[least:], self.records))
        fresh = OpenedRecords(self._words[least - 1])  # without the words that no record has any more
        for rest in self.records:
            fresh.put(rest, self.value(rest))
        return fresh.pack()

    def _packed(self, envelope: Envelope, sealed: bytes) -> PackedRecord:
        return PackedRecord(
            sealed,
            self._number(envelope.type),
            envelope.v,
            self._number(envelope.id),
            self._number(envelope.tenant),
            self._number(envelope.correlation),
            self._number(envelope.causation),
            self._number(envelope.era),
            envelope.rules,
        )

    def _number(self, word: str) -> int:
        if word not in self._words:
            self._words.append(word)
        return self._words.index(word)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgpack_decoder(tuple[list[str], dict[str, PackedRecord]])


def is_ended(value: bytes) -> bool:
    """Whether a record is one of a copy that ended."""
    try:
        return json_decoder(_Typed).decode(value).type == ENDED_COPY_TYPE
    except (msgspec.DecodeError, RecursionError):
        return False


def mailboxes_of(records: Mapping[str, PackedRecord]) -> dict[str, bool]:
    """The mailboxes that have a record among those of a meeting → whether they still hold a copy."""
    return {rest[1:]: not record.is_ended for rest, record in records.items() if len(rest) > 1}
