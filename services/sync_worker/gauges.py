"""What the owner of a partition of mailboxes shows of them: how many, in which state, and how long they are still watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from services.sync_worker.deciding.mailbox import Pace
from shared.contracts.calendar_state import DueReason, MailboxState
from shared.domain.identity import Provider
from shared.domain.instants import SECOND_MS
from shared.runtime import metrics

SHOW_EVERY_MS = SECOND_MS
EACH_MS = (
    1  # between two counts for every mailbox: counting takes some 3 µs each, so that it stays below 0.3 % of the time
)
_STATES = ("connecting", "connected", "failing", "leaving")


class MailboxGauges:
    """`roomsync_mailboxes`, `…_stale` and `roomsync_subscription_shortest_life_seconds` of one partition."""

    def __init__(self, partition: int, pace_of: Callable[[str], Pace]) -> None:
        """`pace_of`: provider → how often to look without being asked."""
        self._partition = str(partition)
        self._pace_of = pace_of
        self._next_ms = 0

    def show(self, states: Callable[[], Collection[MailboxState]], now_ms: int) -> None:
        """Bring the gauges up to date, if it is time. `states` gives every mailbox of the partition."""
        if now_ms < self._next_ms:
            return
        found = states()
        for provider in Provider:
            self._show(provider, [state for state in found if state.provider == provider], now_ms)
        self._next_ms = now_ms + max(SHOW_EVERY_MS, len(found) * EACH_MS)

    def close(self) -> None:
        """The partition is another's: what it says of it counts."""
        for provider in Provider:
            self._show(provider, [], 0)

    def _show(self, provider: Provider, states: Collection[MailboxState], now_ms: int) -> None:
        counts = Counter(state_of(state) for state in states)
        for name in _STATES:
            metrics.MAILBOXES.labels(self._partition, provider, name).set(counts[name])
        doubted = sum(state.connected and state.doubted_at_ms > 0 for state in states)
        metrics.SUBSCRIPTIONS_DOUBTED.labels(self._partition, provider).set(doubted)
        reconcile_ms = self._pace_of(provider).reconcile_ms
        stale = sum(is_stale(state, reconcile_ms, now_ms) for state in states)
        metrics.MAILBOXES_STALE.labels(self._partition, provider).set(stale)
        lives = [
            state.subscription.expires_at_ms - now_ms for state in states if state.connected and state.subscription
        ]
        shortest = metrics.SUBSCRIPTION_SHORTEST_LIFE_SECONDS
        if lives:
            shortest.labels(self._partition, provider).set(min(lives) / SECOND_MS)
        else:
            shortest.labels(self._partition, provider)
            shortest.remove(self._partition, provider)  # 0 would say that a watch ends now


def state_of(state: MailboxState) -> str:
    """One of the words of `roomsync_mailboxes`."""
    if not state.connected:
        return "leaving"
    if state.failures:
        return "failing"
    return "connected" if state.baseline_done else "connecting"


def is_stale(state: MailboxState, reconcile_ms: int, now_ms: int) -> bool:
    """Whether a connected mailbox was looked at, but not within twice the reconcile time, nor when it was to be."""
    late_ms = state.looked_at_ms + 2 * reconcile_ms
    if not state.failures:
        late_ms = max(late_ms, state.due.get(DueReason.RECONCILE, 0) + reconcile_ms // 4)
    return state.connected and state.baseline_done and now_ms > late_ms
