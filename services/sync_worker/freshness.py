"""What people may read of their calendar's health: when it was last heard of, and last checked. Written at most once a minute."""

from __future__ import annotations

from concurrent.futures import Executor

from shared.contracts.calendar_state import MailboxState
from shared.contracts.rows import FreshnessRow
from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS, MINUTE_MS
from shared.errors import StoreUnavailableError
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.logging import get_logger

KEPT_MS = 48 * HOUR_MS
"""From the last look. By then a calendar that is connected has been looked at again, unasked."""

logger = get_logger()


class Freshness:
    """Of one partition of mailboxes; used by its owner's thread, which it does not keep waiting."""

    def __init__(self, registry: Registry, pool: Executor) -> None:
        """`pool` is where rows are written."""
        self._table = tables.freshness(registry)
        self._pool = pool
        self._written_ms: dict[Mailbox, int] = {}

    def note(self, mailbox: Mailbox, state: MailboxState, references: int, now_ms: int) -> None:
        """After a look: `state` as committed, with how many references and pieces. What is not written now, a later look writes."""
        if 0 <= now_ms - self._written_ms.get(mailbox, -MINUTE_MS) < MINUTE_MS:
            return
        self._written_ms[mailbox] = now_ms
        self._pool.submit(
            self._write, mailbox, FreshnessRow(state.heard_at_ms, state.looked_at_ms, references), now_ms + KEPT_MS
        )

    def forget(self, mailbox: Mailbox) -> None:
        """The mailbox is nobody's any more. Its row goes with its grant."""
        self._written_ms.pop(mailbox, None)

    def _write(self, mailbox: Mailbox, row: FreshnessRow, not_after_ms: int) -> None:
        try:
            self._table.put(mailbox.tenant, mailbox.id, row, not_after_ms=not_after_ms)
        except StoreUnavailableError as error:
            logger.warning("freshness_not_written", mailbox=mailbox.id, error=str(error))
