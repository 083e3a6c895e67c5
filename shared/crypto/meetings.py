"""Opens what stands on `meeting-state` and in the view: records of version 2, and those of 0.1.0 read as version 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.contracts import envelope as envelopes
from shared.contracts import meeting_state_version_1
from shared.contracts.meeting_state import COPY_TYPE, ENDED_COPY_TYPE, MEETING_TYPE, VERSION, CopyRecord, MeetingRecord
from shared.contracts.meeting_state_version_1 import MeetingState, from_version_1
from shared.crypto.records import open_envelope
from shared.domain.keys import TenantKeys
from shared.errors import MalformedRecordError


@dataclass(frozen=True, slots=True)
class StoredMeeting:
    """A meeting's record and its connected copies, by mailbox."""

    record: MeetingRecord
    copies: Mapping[str, CopyRecord] = field(default_factory=dict)


def open_meeting(key: bytes, value: bytes, keys: TenantKeys) -> StoredMeeting:
    """
    Read the record under `tenant/meeting`. Copies are found in it only if 0.1.0 wrote it.

    Args:
        key: What it stands under, on `meeting-state` or in the view: it is refused under any other than it was written under.
        value: The record.
        keys: The tenant's.

    Raises:
        KeyDestroyedError: an earlier key of the tenant sealed it.
        NewerRecordError: a later version of roomsync wrote it.
        MalformedRecordError: it is no such record, damaged, or another key's.
    """
    envelope = envelopes.decode(value)
    if envelope.type == meeting_state_version_1.TYPE:
        return StoredMeeting(*from_version_1(open_envelope(envelope, keys, MeetingState, key=key)))
    if envelope.type != MEETING_TYPE:
        message = f"a record of type {envelope.type!r} where a meeting was expected"
        raise MalformedRecordError(message)
    return StoredMeeting(open_envelope(envelope, keys, MeetingRecord, key=key, newest=VERSION))


def open_copy(key: bytes, value: bytes, keys: TenantKeys) -> CopyRecord:
    """Read the record under `tenant/meeting/mailbox`, also of a copy that ended. Raises as `open_meeting` does."""
    envelope = envelopes.decode(value)
    if envelope.type not in {COPY_TYPE, ENDED_COPY_TYPE}:
        message = f"a record of type {envelope.type!r} where a copy of a meeting was expected"
        raise MalformedRecordError(message)
    return open_envelope(envelope, keys, CopyRecord, key=key, newest=VERSION)
