"""Makes the records of `dismissals`: that a person put a prompt away, beside the observations of its meeting."""

from __future__ import annotations

import uuid

import msgspec

from shared.contracts import dismissal
from shared.contracts import envelope as envelopes
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_state import meeting_key
from shared.contracts.topics import DISMISSALS
from shared.domain.identity import partition_of
from shared.ports.log import NewRecord


def dismissal_record(tenant: str, put_away: PromptDismissal, partitions: int) -> NewRecord:
    """
    Return the record of one dismissal.

    Args:
        tenant: Whose meeting it is.
        put_away: What was put away, and by whom.
        partitions: How many partitions the topic has.
    """
    key = meeting_key(tenant, put_away.meeting)
    value = envelopes.encode(
        Envelope(
            id=f"dismissal/{uuid.uuid4().hex}",
            type=dismissal.TYPE,
            tenant=tenant,
            payload=msgspec.Raw(msgspec.json.encode(put_away)),
        )
    )
    return NewRecord(DISMISSALS.name, partition_of(key, partitions), key, value)
