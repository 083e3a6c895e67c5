"""
Compares a replayed decline with a published one under the rules version that the published one names. Pure.

The version goes up with every change of the rules and of the shape of the public event. What an earlier version published
lacks the fields that were added since: they are left out of the comparison, everything else has to be equal.
"""

from __future__ import annotations

from typing import Any

import msgspec

from services.room_status.deciding.publications import RULES_HEADER
from shared.errors import MalformedRecordError
from shared.ports.log import NewRecord, Record

FIRST_VERSION = 1
"""Of records that name none."""


def rules_version_of(record: NewRecord | Record) -> int:
    """Read the header of a decline. Raises MalformedRecordError: it is no number."""
    named = dict(record.headers).get(RULES_HEADER)
    if named is None:
        return FIRST_VERSION
    if not named.isdigit():
        message = f"the rules version {named!r} on {record.topic} is no number"
        raise MalformedRecordError(message)
    return int(named)


def is_same_event(replayed: bytes, published: bytes, *, now: int, then: int) -> bool:
    """
    Whether a replay gives the published event: byte for byte by the same version, field for field by an earlier one.

    Args:
        replayed: The event as JSON, by the rules of version `now`.
        published: The event as JSON, by the rules of version `then`.
    """
    if replayed == published:
        return True
    return then < now and _agrees(msgspec.json.decode(published), msgspec.json.decode(replayed))


def _agrees(earlier: Any, now: Any) -> bool:
    """Whether `now` says everything that `earlier` says, and perhaps more fields."""
    if isinstance(earlier, dict) and isinstance(now, dict):
        return all(name in now and _agrees(value, now[name]) for name, value in earlier.items())
    return bool(earlier == now)
