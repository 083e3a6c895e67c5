"""Describes the bytes of a dead letter without showing what they say of anybody."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from services.room_status import operations as room_status
from shared.contracts import envelope as envelopes
from shared.contracts.dead_letter import DeadLetter
from shared.contracts.envelope import Envelope
from shared.errors import KeyDestroyedError, MalformedRecordError, NewerRecordError
from shared.ports.keyring import Keyring
from shared.runtime.redaction import mask_text


def summarise(letter: DeadLetter, keyring: Keyring) -> dict[str, Any]:
    """Return fingerprint and outline; for an envelope its header fields, and whether its sealed part can be opened now."""
    value = letter.value or b""
    found: dict[str, Any] = {
        "sha256": hashlib.sha256(value).hexdigest(),
        "outline": describe_outline(value),
    }
    try:
        envelope = envelopes.decode(value)
    except MalformedRecordError:
        return found
    found["envelope"] = {
        "id": envelope.id, "type": envelope.type, "v": envelope.v, "tenant": envelope.tenant,
        "correlation": envelope.correlation, "causation": envelope.causation,
    }  # fmt: skip
    if envelope.sealed is not None:
        found["sealed"] = _describe_sealed(letter.key, envelope, keyring)
    return found


def describe_outline(value: bytes) -> str:
    """Return the field names and types of a JSON object, none of its values; for other bytes say that they are none."""
    try:
        shape = json.loads(value)
    except ValueError:
        return "not JSON"
    if not isinstance(shape, dict):
        return f"JSON, but a {type(shape).__name__} instead of an object"
    return _describe_fields(shape)


def _describe_fields(shape: dict[str, Any]) -> str:
    parts = []
    for name, value in shape.items():
        inner = f" {{{_describe_fields(value)}}}" if isinstance(value, dict) else f": {type(value).__name__}"
        parts.append(mask_text(name) + inner)
    return ", ".join(parts)


def _describe_sealed(key: bytes, envelope: Envelope, keyring: Keyring) -> str:
    size = f"{len(envelope.sealed or b'')} bytes"
    try:
        seen = room_status.read_observation(key, envelope, keyring.keys(envelope.tenant))
    except KeyDestroyedError:
        return f"{size}; its key was destroyed on purpose: nobody can read it any more"
    except (MalformedRecordError, NewerRecordError) as error:
        return f"{size}; cannot be read by this version: {error}"
    return f"{size}; can be read by this version: {len(seen.dates)} dates, baseline {seen.baseline}"
