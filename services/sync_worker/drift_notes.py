"""Says what an audit has found, in metrics and in the log: kinds and numbers, never whose meeting it was."""

from __future__ import annotations

from services.sync_worker.deciding.settlement import Settled
from shared.contracts.calendar_state import MailboxState
from shared.domain.identity import Mailbox
from shared.runtime import metrics
from shared.runtime.logging import get_logger

UNANNOUNCED = "push"
"""The kind of a change that no push had announced; the others are those of `DriftKind`."""

logger = get_logger()


def note_drift(mailbox: Mailbox, before: MailboxState, result: Settled) -> None:
    """
    Count what a committed look has corrected.

    Args:
        mailbox: Whose.
        before: The mailbox until the commit.
        result: What was committed.
    """
    if result.state is not None and result.state.doubted_at_ms > before.doubted_at_ms:
        metrics.DRIFT.labels(before.provider, UNANNOUNCED).inc()
    if result.drift is None:
        return
    metrics.AUDITED.labels(before.provider).inc(result.drift.compared)
    for kind, count in result.drift.found.items():
        metrics.DRIFT.labels(before.provider, kind).inc(count)
    if result.drift.found:
        found = {str(kind): count for kind, count in sorted(result.drift.found.items())}
        logger.warning(
            "drift_found", tenant=mailbox.tenant, mailbox=mailbox.id, compared=result.drift.compared, **found
        )
