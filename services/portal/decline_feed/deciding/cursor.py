"""Where a reader of the decline feed stands: opaque outside, an offset per partition inside. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import msgspec

from shared.contracts.envelope import read_json
from shared.errors import MalformedRecordError

MAX_CHARS = 4_000
_MOST = 2**63
"""No log counts further; stores take no larger number."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """The next offset to read, per partition, of one incarnation of the topic."""

    topic: str
    next: dict[int, int]


def encode(topic_id: str, offsets: Mapping[int, int]) -> str:
    """Encode the next offset of each partition as the text that a reader sends back: URL-safe, opaque."""
    raw = msgspec.json.encode(Cursor(topic=topic_id, next=dict(sorted(offsets.items()))))
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str, topic_id: str, partitions: int) -> dict[int, int] | None:
    """Read a cursor back; None when it is not one of ours for this incarnation of the topic."""
    if len(text) > MAX_CHARS:
        return None
    try:
        cursor = read_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), Cursor)
    except (binascii.Error, ValueError, MalformedRecordError):
        return None
    sound = all(0 <= partition < partitions and 0 <= offset < _MOST for partition, offset in cursor.next.items())
    return cursor.next if sound and cursor.topic == topic_id else None
