"""Seals the records of a meeting, each within its bound, under the name of the input record that they follow from."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from services.room_status.deciding.fold import RULES_VERSION
from shared.contracts.bounds import MAX_RECORD_BYTES
from shared.contracts.copy_observation import Sight
from shared.contracts.meeting_dictionary import MEETING_DICTIONARY
from shared.contracts.meeting_state import (
    COPY_TYPE,
    ENDED_COPY_TYPE,
    MEETING_TYPE,
    VERSION,
    CopyRecord,
    MeetingRecord,
)
from shared.crypto.records import sealed_envelope
from shared.domain.keys import TenantKeys

MAX_STATE_BYTES = MAX_RECORD_BYTES
"""The bound of one record of `meeting-state`."""


class RecordTooLargeError(Exception):
    """A record, or what follows from one observation, would exceed its bound."""


@dataclass(frozen=True, slots=True)
class RecordSealing:
    """How the records that one input record changes are sealed."""

    keys: TenantKeys
    source: str
    """`topic/partition/offset` of the input record."""
    correlation: str
    causation: str
    bounded: bool = True

    def meeting(self, key: bytes, record: MeetingRecord, version: int, *, bounded: bool = True) -> bytes:
        """Seal a meeting's record as the one after `version`. Raises RecordTooLargeError, if it is to be bounded."""
        numbered = msgspec.structs.replace(record, version=version + 1)
        return self._sealed(key, numbered, MEETING_TYPE, bounded=bounded)

    def copy(self, key: bytes, record: CopyRecord) -> bytes:
        """Seal a copy's record as the one after it. Raises RecordTooLargeError."""
        kind = ENDED_COPY_TYPE if record.sight is Sight.WITHDRAWN else COPY_TYPE
        numbered = msgspec.structs.replace(record, version=record.version + 1)
        return self._sealed(key, numbered, kind, bounded=True)

    def _sealed(self, key: bytes, record: MeetingRecord | CopyRecord, kind: str, *, bounded: bool) -> bytes:
        value = sealed_envelope(
            self.keys,
            record,
            key=key,
            type=kind,
            id=self.source,
            correlation=self.correlation,
            causation=self.causation,
            version=VERSION,
            rules=RULES_VERSION if kind == MEETING_TYPE else 0,
            compress=True,
            dictionary=MEETING_DICTIONARY,
        )
        if bounded and self.bounded and len(value) > MAX_STATE_BYTES:
            message = f"a {kind} would take {len(value)} bytes, and {MAX_STATE_BYTES} are the bound"
            raise RecordTooLargeError(message)
        return value
