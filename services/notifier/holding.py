"""Whose messages wait while an organisation has an incident: nothing is sent to them outside their pages until it is over."""

from __future__ import annotations

from services.notifier.deciding.plan import MessagePause
from shared.domain.identity import Mailbox
from shared.domain.instants import SECOND_MS
from shared.errors import RowRefusedError
from shared.organisations.decline_incidents import read_latest
from shared.ports.registry import Registry
from shared.runtime import metrics
from shared.runtime.refused_rows import log_refused_row

LOOK_EVERY_MS = SECOND_MS


class Holding:
    """The people of one partition who wait. Costs a row a second for each organisation of which somebody waits."""

    def __init__(self, registry: Registry, partition: int) -> None:
        """Nobody waits."""
        self._registry = registry
        self._gauge = metrics.PEOPLE_HELD.labels(str(partition))
        self._waiting: dict[str, set[Mailbox]] = {}
        self._looked_at_ms = 0

    def pause_of(self, tenant: str) -> MessagePause | None:
        """When messages of the organisation were held last, or since when they are. Raises StoreUnavailableError."""
        row = read_latest(self._registry, tenant)
        return MessagePause(row.began_at_ms, row.over_at_ms) if row else None

    def hold(self, mailbox: Mailbox) -> None:
        """Have the person wait until the incident of their organisation is over."""
        self._waiting.setdefault(mailbox.tenant, set()).add(mailbox)
        self._show()

    def released(self, now_ms: int) -> list[Mailbox]:
        """Those who wait no longer. Raises StoreUnavailableError."""
        if not self._waiting or 0 <= now_ms - self._looked_at_ms < LOOK_EVERY_MS:
            return []
        self._looked_at_ms = now_ms
        over = [tenant for tenant in self._waiting if self._is_over(tenant)]
        found = [mailbox for tenant in over for mailbox in sorted(self._waiting.pop(tenant))]
        self._show()
        return found

    def _is_over(self, tenant: str) -> bool:
        try:
            pause = self.pause_of(tenant)
        except RowRefusedError as error:
            log_refused_row(error)
            return False
        return pause is None or not pause.lasts

    def close(self) -> None:
        """They wait with whoever takes over."""
        self._waiting.clear()
        self._show()

    def _show(self) -> None:
        self._gauge.set(sum(len(each) for each in self._waiting.values()))
