"""Writes references that differ from the calendar, as the product writes records, while no owner of their partition lives."""

from __future__ import annotations

from collections.abc import Mapping

from services.sync_worker.memory import reference_change
from shared.contracts.calendar_state import EventReference
from shared.contracts.topics import SYNC_WORKER
from shared.domain.identity import Mailbox, partition_of
from shared.ports.engine import Engine


def write_references(engine: Engine, mailbox: Mailbox, wanted: Mapping[str, EventReference | None]) -> None:
    """
    Put these references in the place of what is on record; None takes one away.

    Whoever owned the mailbox' partition is fenced: another has to be started.
    """
    keys = engine.keyring.keys(mailbox.tenant)
    claim = engine.log.claim(SYNC_WORKER, partition_of(mailbox.key, engine.log.partitions))
    changes = [reference_change(mailbox, event_id, reference, keys) for event_id, reference in wanted.items()]
    claim.commit([], changes, claim.position)
