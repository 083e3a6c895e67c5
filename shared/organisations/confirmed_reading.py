"""Reads how much of what is said of an organisation's rooms was confirmed a moment ago, out of view and registry as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.contracts.meeting_state import MeetingRecord
from shared.contracts.rows import ConsentRow, ConsentState, FreshnessRow
from shared.domain.keys import TenantKeys
from shared.meetings.confirmed_states import ConfirmedStates, count_confirmed
from shared.organisations.room_report import read_meetings
from shared.ports.registry import Registry
from shared.ports.view import View
from shared.registry import tables

ENDED = frozenset((ConsentState.REVOKED, ConsentState.SLEEPING))


@dataclass(slots=True)
class ConfirmedCount:
    """Counts meetings as they pass."""

    consents: Iterable[tuple[str, ConsentRow]]
    freshness: Iterable[tuple[str, FreshnessRow]]
    now_ms: int
    states: ConfirmedStates = field(default_factory=ConfirmedStates)

    def of(self, meetings: Iterable[MeetingRecord]) -> Iterator[MeetingRecord]:
        """Yield the meetings, each once, and count those that were yielded in `states`."""
        connected = {mailbox for mailbox, row in self.consents if row.state not in ENDED}
        checked_ms = {mailbox: row.checked_at_ms for mailbox, row in self.freshness}
        for meeting in meetings:
            self.states += count_confirmed([meeting], checked_ms, connected, self.now_ms)
            yield meeting


def read_confirmed(view: View, registry: Registry, keys: TenantKeys, now_ms: int) -> ConfirmedStates:
    """
    Count the states of rooms on dates that begin within a day, and the confirmed ones among them.

    It reads the meetings of the connected people, once. Raises StoreUnavailableError.
    """
    tenant = keys.tenant
    consents, freshness = tables.consents(registry).scan_readable(tenant), tables.freshness(registry)
    count = ConfirmedCount(consents, freshness.scan_readable(tenant), now_ms)
    for _ in count.of(read_meetings(view, registry, keys)):
        pass
    return count.states
