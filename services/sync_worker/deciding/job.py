"""A look as the owner of a partition orders it, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.sync_worker.deciding.hints import Offset
from services.sync_worker.deciding.opened_answers import OpenedAnswers
from services.sync_worker.deciding.schedule import Priority
from shared.contracts.calendar_state import EventReference, MailboxState
from shared.contracts.command import TakeRoom
from shared.domain.identity import Mailbox
from shared.domain.instants import SECOND_MS
from shared.domain.sighting import Look
from shared.domain.trace import Trace

ASLEEP = "asleep"
"""What a mailbox is gone for when its integration was switched off: the grant is kept."""


@dataclass(frozen=True, slots=True)
class Job:
    """A look that is to begin: the mailbox as known, and everything that the look will answer."""

    mailbox: Mailbox
    state: MailboxState
    answers: frozenset[Offset]
    started_at_ms: int
    priority: Priority = Priority.APPOINTMENT
    hinted: bool = False
    full: bool = False
    audit: bool = False
    """Whether what is held is compared with the whole calendar, once everything announced as a change was applied."""
    takes: tuple[TakeRoom, ...] = ()
    correlation: str = ""
    trace: Trace | None = None
    references: Mapping[str, EventReference] = field(default_factory=dict)
    """What is known of the mailbox's events when the look begins."""


TAKE_AGAIN_MS = 5 * SECOND_MS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a look. `state` carries what its calls changed, also where a later call failed."""

    job: Job
    state: MailboxState
    look: Look | None = None
    """What was seen; None where the look failed."""
    increment: Look | None = None
    """Of an audit: what had changed since the cursor, read before `look`, which then is the whole calendar."""
    calls: int = 0
    """How many requests the look sent to the calendar."""
    retry_after_s: float | None = None
    """The provider's own appointment for the next one, in seconds from now, if it named one."""
    waiting_takes: frozenset[str] = frozenset()
    """Takes that are still to be tried: the provider was busy with them, and with nothing else."""
    opened: OpenedAnswers = field(default_factory=dict)
    """Answers of rooms that the calendar opened when others were taken, before the look."""
    again: bool = False
    """It was made under conditions that have changed since: nothing of it is used, and it is repeated at once."""
    gone: str = ""
    """Why the mailbox is no longer connected; "" while it is."""
    rejoin: bool = False
    """It lets go, and begins anew at once: the integration was switched off and on again before this look."""
