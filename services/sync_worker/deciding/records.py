"""Makes the records of what a look leads to: observations, and changes of the references and of what people answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.references import Merge
from services.sync_worker.memory import reference_change
from shared.contracts import copy_observation
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.meeting_state import meeting_key
from shared.contracts.topics import OBSERVATIONS
from shared.crypto.records import sealed_envelope
from shared.domain import trace
from shared.domain.identity import Mailbox, partition_of
from shared.domain.keys import TenantKeys
from shared.ports.log import NewRecord, StateChange


def observation_records(
    seen: Iterable[CopyObservation], job: Job, keys: TenantKeys, partitions: int
) -> list[NewRecord]:
    """
    Seal observations for `observations`, each on the partition of its meeting.

    Args:
        seen: What was observed.
        job: The look's, whose trace they continue.
        keys: Of the tenant.
        partitions: How many the topic has.
    """
    headers = trace.headers(job.trace.child() if job.trace else trace.make())
    records = []
    for fact in seen:
        key = meeting_key(job.mailbox.tenant, fact.meeting)
        value = sealed_envelope(
            keys,
            fact,
            key=key,
            type=copy_observation.TYPE,
            version=copy_observation.VERSION,
            id=f"{job.mailbox.id}/{fact.meeting}/{fact.observed_at_ms}",
            correlation=job.correlation,
            compress=True,
        )
        records.append(NewRecord(OBSERVATIONS.name, partition_of(key, partitions), key, value, headers))
    return records


def event_changes(
    mailbox: Mailbox,
    merged: Merge,
    events: Mapping[str, str],
    by_series: Mapping[str, Sequence[StateChange]],
    keys: TenantKeys,
) -> dict[str, list[StateChange]]:
    """
    Make what is written of references and people, by the id of the event because of which it is.

    Pieces come before references: should the owner die between them, the references that were not written show a repeated look
    which series have changed. Pieces of one that is gone would otherwise stay.

    Args:
        mailbox: Whose.
        merged: What the look makes of the references.
        events: Series → the id of an event of it that the look was about.
        by_series: Series → the changes of its pieces.
        keys: Of the tenant.
    """
    changes: dict[str, list[StateChange]] = {}
    for series, pieces in by_series.items():
        changes.setdefault(events[series], []).extend(pieces)
    for event_id in merged.changed:
        reference = merged.references.get(event_id)
        changes.setdefault(event_id, []).append(reference_change(mailbox, event_id, reference, keys))
    return changes
