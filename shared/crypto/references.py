"""Opens and seals what stands on `calendar-state` of an event: references of version 2, and those of version 1 read as such."""

from __future__ import annotations

import msgspec

from shared.contracts.calendar_state import REFERENCE_TYPE, REFERENCE_VERSION, EventReference, snapshot_of
from shared.contracts.envelope import Envelope
from shared.crypto.records import open_envelope, sealed_envelope
from shared.domain.keys import TenantKeys


def open_reference(key: bytes, envelope: Envelope, keys: TenantKeys) -> EventReference:
    """
    Read an event's record; the people whom version 1 kept in a guest's copy become their number.

    Args:
        key: The record's key: it is refused under any other than it was written under.
        envelope: The record's value.
        keys: The tenant's.

    Raises:
        KeyDestroyedError: an earlier key of the tenant sealed it.
        NewerRecordError: a later version of roomsync wrote it.
        MalformedRecordError: it is no such record, damaged, or another key's.
    """
    found = open_envelope(envelope, keys, EventReference, key=key, newest=REFERENCE_VERSION)
    if found.people is None or found.seats is not None:
        return found
    seats = len({*found.people, found.organizer} - {""})
    return msgspec.structs.replace(found, people=snapshot_of(found.people) if found.is_organizer else None, seats=seats)


def sealed_reference(key: bytes, keys: TenantKeys, reference: EventReference, name: str) -> bytes:
    """Write the event's record that is to stand under `key`; `name` is the pseudonym that it is known by."""
    return sealed_envelope(keys, reference, key=key, type=REFERENCE_TYPE, version=REFERENCE_VERSION, id=name)
