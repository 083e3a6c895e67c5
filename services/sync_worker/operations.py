"""What the command line may use of sync_worker: states of mailboxes, the meeting of a reference, and one worker in-process."""

from __future__ import annotations

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.mailbox import renew_at
from services.sync_worker.deciding.references import meeting_of
from services.sync_worker.gauges import is_stale, state_of
from services.sync_worker.memory import mailbox_of
from services.sync_worker.wiring import assemble
from services.sync_worker.worker import SyncOwner

__all__ = ["Job", "SyncOwner", "assemble", "is_stale", "mailbox_of", "meeting_of", "renew_at", "state_of"]
