"""
Which mailbox is compared with its calendar next: each once a cycle, inside a budget of calls for each organisation. Pure.

A mailbox's place in the cycle follows from its id, so that audits are spread over the cycle and a take-over changes no turn. Where
the budget is used up, those whose turn has come wait in a queue, the oldest first; the cycle then takes longer, and nothing is
asked beyond the budget. What a call costs is in proportion to the turns that have come and to the organisations that wait, never
to the mailboxes at rest. Nothing of it is durable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

from shared.domain.identity import Mailbox
from shared.domain.instants import MINUTE_MS

FIRST_GUESS = 2.0
"""Calls of an audit before one was seen: what has changed, and a calendar of one page."""
WEIGHT = 0.2
"""Of the newest audit in what an audit is reckoned to cost."""


@dataclass(slots=True)
class _Budget:
    """An organisation's."""

    spent_until_ms: float = 0.0
    """By then what was asked so far is inside the budget again."""
    usual_calls: float = FIRST_GUESS
    queue: deque[Mailbox] = field(default_factory=deque)
    """Whose turn has come, the oldest first."""


class AuditRotation:
    """The turns of one partition of mailboxes."""

    def __init__(self, *, cycle_ms: int, calls_per_minute: float) -> None:
        """
        Begin a rotation.

        Args:
            cycle_ms: Each mailbox's turn comes once in this time; 0: none ever comes.
            calls_per_minute: What audits of one organisation may ask, in this partition.
        """
        self._cycle_ms = cycle_ms
        self._call_ms = MINUTE_MS / calls_per_minute
        self._turns: dict[Mailbox, int | None] = {}
        self._admitted: set[Mailbox] = set()
        self._budgets: dict[str, _Budget] = {}
        self._waiting: dict[str, _Budget] = {}

    def turn_ms(self, mailbox: Mailbox, now_ms: int) -> int | None:
        """
        When the mailbox's turn comes, in epoch milliseconds; None: never, or when `release` names it.

        Asked for the first time, it joins the rotation.
        """
        if not self._cycle_ms:
            return None
        if mailbox not in self._turns:
            self._turns[mailbox] = self._turn_after(mailbox, now_ms)
        return self._turns[mailbox]

    def admit(self, mailbox: Mailbox, now_ms: int) -> bool:
        """Whether an audit of the mailbox may begin now; then `end` has to be called. One that may not waits in the queue."""
        turn_ms = self.turn_ms(mailbox, now_ms)
        if turn_ms is None or turn_ms > now_ms:
            return False
        if mailbox in self._admitted:
            self._admitted.discard(mailbox)
            return True
        budget = self._budgets.setdefault(mailbox.tenant, _Budget())
        if not budget.queue and budget.spent_until_ms <= now_ms:
            self._charge(budget, now_ms)
            return True
        self._turns[mailbox] = None
        budget.queue.append(mailbox)
        self._waiting[mailbox.tenant] = budget
        return False

    def release(self, now_ms: int) -> Sequence[Mailbox]:
        """Name those that need not wait any longer: the budget allows an audit of each, and keeps its calls for it."""
        released = []
        for tenant, budget in list(self._waiting.items()):
            while budget.queue and budget.spent_until_ms <= now_ms:
                mailbox = budget.queue.popleft()
                if self._turns.get(mailbox, now_ms) is None:  # else it has left meanwhile
                    self._charge(budget, now_ms)
                    self._turns[mailbox] = now_ms
                    self._admitted.add(mailbox)
                    released.append(mailbox)
            if not budget.queue:
                del self._waiting[tenant]
        return released

    def end(self, mailbox: Mailbox, calls: int, now_ms: int) -> None:
        """An audit has ended, well or not, after so many calls. The next turn of its mailbox is in the next cycle."""
        self._turns[mailbox] = self._turn_after(mailbox, now_ms)
        budget = self._budgets.setdefault(mailbox.tenant, _Budget())
        budget.spent_until_ms += (calls - budget.usual_calls) * self._call_ms
        budget.usual_calls += (max(calls, 1) - budget.usual_calls) * WEIGHT

    def forget(self, mailbox: Mailbox) -> None:
        """The mailbox is nobody's any more."""
        self._turns.pop(mailbox, None)
        self._admitted.discard(mailbox)

    def waiting(self) -> int:
        """How many mailboxes wait for the budget."""
        return sum(len(budget.queue) for budget in self._waiting.values())

    def _charge(self, budget: _Budget, now_ms: int) -> None:
        """What one audit usually asks; `end` puts it right."""
        budget.spent_until_ms = now_ms + budget.usual_calls * self._call_ms

    def _turn_after(self, mailbox: Mailbox, now_ms: int) -> int:
        place_ms = crc32(mailbox.key) * self._cycle_ms // 2**32
        return now_ms + self._cycle_ms - (now_ms - place_ms) % self._cycle_ms
