"""The position record of a state topic's partition: where input resumes, and where the outputs ended."""

from __future__ import annotations

import msgspec

from shared.contracts.envelope import read_json


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """As it stands under POSITION_KEY."""

    inputs: dict[str, int] = {}
    """Input topic → next offset to read."""
    ends: dict[str, int] = {}
    """Output topic → the offset after this owner's last record in its own partition."""


def encode(position: Position) -> bytes:
    """As JSON."""
    return msgspec.json.encode(position)


def decode(value: bytes | None) -> Position:
    """Nothing written yet is the beginning of everything. Raises MalformedRecordError."""
    return Position() if value is None else read_json(value, Position)
