"""Opens what room_status reads: observations of every version, and dismissals. Pure but for keys."""

from __future__ import annotations

from shared.contracts import copy_observation, dismissal, observation
from shared.contracts import envelope as envelopes
from shared.contracts.copy_observation import CopyObservation, from_version_1
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_state import meeting_key
from shared.contracts.observation import Observation
from shared.crypto.records import open_envelope
from shared.domain.keys import TenantKeys
from shared.errors import MalformedRecordError


def read_copy_observation(key: bytes, envelope: Envelope, keys: TenantKeys) -> CopyObservation:
    """
    Read an observation of either version.

    Args:
        key: The record's key: it is refused under any other than it was written under.
        envelope: The record's value.
        keys: The tenant's.

    Raises:
        KeyDestroyedError: an earlier key of the tenant sealed it.
        NewerRecordError: a later version of the sync worker wrote it.
        MalformedRecordError: it is no observation, damaged, or another key's.
    """
    match envelope.type:
        case observation.TYPE:
            return from_version_1(open_envelope(envelope, keys, Observation, key=key))
        case copy_observation.TYPE:
            return open_envelope(envelope, keys, CopyObservation, key=key, newest=copy_observation.VERSION)
        case other:
            message = f"a record of type {other!r} on observations: another version of the sync worker wrote it?"
            raise MalformedRecordError(message)


def read_dismissal(key: bytes, envelope: Envelope) -> PromptDismissal:
    """Read a dismissal. Raises MalformedRecordError: it is none, or is about another meeting than its key."""
    if envelope.type != dismissal.TYPE:
        message = f"a record of type {envelope.type!r} on dismissals: another version of the portal wrote it?"
        raise MalformedRecordError(message)
    found = envelopes.payload_of(envelope, PromptDismissal)
    if meeting_key(envelope.tenant, found.meeting) != key:
        message = f"the dismissal {envelope.id} stands under another meeting's key"
        raise MalformedRecordError(message)
    return found
