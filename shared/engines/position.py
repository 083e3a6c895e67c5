"""The position record of a state topic's partition: where input resumes, and where the outputs ended."""

from __future__ import annotations

import msgspec

from shared.contracts.envelope import read_json


class Position(msgspec.Struct, frozen=True):
    """The value of the record under POSITION_KEY."""

    inputs: dict[str, int] = {}
    """Input topic → next offset to read."""
    ends: dict[str, int] = {}
    """Output topic → the offset after this owner's last record in its own partition."""


def encode_position(position: Position) -> bytes:
    """Encode a position as JSON."""
    return msgspec.json.encode(position)


def decode_position(value: bytes | None) -> Position:
    """Decode a position record; None, when nothing is written yet, means the beginning. Raises MalformedRecordError."""
    return Position() if value is None else read_json(value, Position)
