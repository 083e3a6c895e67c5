"""Wishes that never reached the log, since it was away or their process died: read off the grants, and sent once more."""

from __future__ import annotations

from collections.abc import Callable

from shared.contracts.command import Command, Connect, Disconnect
from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.identity import Mailbox
from shared.domain.instants import MINUTE_MS
from shared.grants.sleep import people
from shared.ports.clock import Clock
from shared.ports.registry import Registry

REMIND_AFTER_MS = MINUTE_MS
"""A wish that is answered takes seconds; so does sending it again by hand."""
_EVERY_MS = MINUTE_MS


class Reminders:
    """One a process. Each process sends each wish once more at most: a caller that waits for a provider is not hurried."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._looked_ms: dict[str, int] = {}
        self._sent: set[tuple[Mailbox, int, int]] = set()

    def once(self, tenant: str, send: Callable[[Mailbox, Command], None]) -> None:
        """Once a minute, over all grants of an organisation that is enabled. Raises LogUnavailableError."""
        now_ms = self._clock.now_ms()
        if abs(now_ms - self._looked_ms.get(tenant, -_EVERY_MS)) < _EVERY_MS:
            return
        for mailbox, grant in list(people(self._registry, tenant)):
            wish, which = unheard(grant, now_ms), (mailbox, grant.connected_at_ms, grant.leaving_at_ms)
            if wish is not None and which not in self._sent:
                send(mailbox, wish)
                self._sent.add(which)
        self._looked_ms[tenant] = now_ms


def unheard(grant: ConsentRow, now_ms: int) -> Command | None:
    """The wish of the grant's person that nobody seems to have heard; None when there is none. Pure."""
    if grant.state in {ConsentState.REVOKED, ConsentState.SLEEPING}:
        return None
    if grant.leaving_at_ms:
        return Disconnect(at_ms=grant.leaving_at_ms) if now_ms - grant.leaving_at_ms >= REMIND_AFTER_MS else None
    waits = grant.state is ConsentState.CONNECTING and now_ms - grant.connected_at_ms >= REMIND_AFTER_MS
    return Connect(at_ms=now_ms) if waits else None
