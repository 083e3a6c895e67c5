"""Counts the people whose subscriptions at the provider are still to be ended."""

from __future__ import annotations

from collections.abc import Iterator

from cli.common.records import read_newest
from shared.contracts.rows import IntegrationState
from shared.contracts.topics import CALENDAR_STATE
from shared.errors import MalformedRecordError
from shared.ports.engine import Engine
from shared.registry.tables import endings


def count_pending_endings(engine: Engine, tenant: str, state: IntegrationState) -> int:
    """
    Count the mailboxes with a subscription that waits to be ended.

    Once the integration is off, a mailbox that still stands in `calendar-state` counts as well: its subscription is put on record
    for ending when its worker next looks at it, and the mailbox is gone from the topic afterwards.

    Args:
        state: Of the organisation's integration.

    Raises:
        LogUnavailableError, StoreUnavailableError: it cannot be asked now.
    """
    waiting = {name for name, _ in endings(engine.registry).scan_readable(tenant)}
    if state is IntegrationState.OFF:
        waiting |= set(_remaining_mailboxes(engine, tenant))
    return len(waiting)


def _remaining_mailboxes(engine: Engine, tenant: str) -> Iterator[str]:
    from services.sync_worker.operations import mailbox_of  # noqa: PLC0415 - the whole worker, where one is off

    for key, _ in read_newest(engine.log, CALENDAR_STATE.name):
        try:
            mailbox = mailbox_of(key)
        except MalformedRecordError:
            continue
        if mailbox.tenant == tenant and mailbox.key == key:
            yield mailbox.id
