"""What the owner of a partition shows of how much it knows for sure: room states confirmed a moment ago, and audits that wait."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection

from services.sync_worker.deciding.audit_rotation import AuditRotation
from services.sync_worker.memory import TrackedMailbox
from shared.domain.identity import Provider
from shared.domain.instants import SECOND_MS
from shared.meetings.confirmed_states import CONFIRMED_MS, UPCOMING_MS
from shared.runtime import metrics

SHOW_EVERY_MS = 10 * SECOND_MS
EACH_MS = 1  # between two counts for every mailbox: counting takes some 2 µs each


class ConfirmedGauges:
    """`roomsync_room_states_upcoming`, `…_confirmed` and `roomsync_audits_waiting` of one partition."""

    def __init__(self, partition: int, audits: AuditRotation) -> None:
        """Show nothing yet."""
        self._partition = str(partition)
        self._audits = audits
        self._next_ms = 0

    def show(self, held: Callable[[], Collection[TrackedMailbox]], now_ms: int) -> None:
        """Bring the gauges up to date, if it is time. `held` gives every mailbox of the partition."""
        if now_ms < self._next_ms:
            return
        mailboxes = held()
        self._show(mailboxes, now_ms)
        metrics.AUDITS_WAITING.labels(self._partition).set(self._audits.waiting())
        self._next_ms = now_ms + max(SHOW_EVERY_MS, len(mailboxes) * EACH_MS)

    def close(self) -> None:
        """The partition is another's: what it says of it counts."""
        self._show((), 0)
        metrics.AUDITS_WAITING.labels(self._partition).set(0)

    def _show(self, mailboxes: Collection[TrackedMailbox], now_ms: int) -> None:
        upcoming, confirmed = Counter[str](), Counter[str]()
        for each in mailboxes:
            if not each.state.connected:
                continue
            count = count_upcoming(each, now_ms)
            upcoming[each.state.provider] += count
            confirmed[each.state.provider] += count if each.state.looked_at_ms > now_ms - CONFIRMED_MS else 0
        for provider in Provider:
            metrics.ROOM_STATES_UPCOMING.labels(self._partition, provider).set(upcoming[provider])
            metrics.ROOM_STATES_CONFIRMED.labels(self._partition, provider).set(confirmed[provider])


def count_upcoming(held: TrackedMailbox, now_ms: int) -> int:
    """How many rooms the mailbox's person asks for on dates that begin within a day. Pure."""
    return bisect_right(held.room_starts, now_ms + UPCOMING_MS) - bisect_right(held.room_starts, now_ms)
