"""What administrators did: written down with every act, kept a year, shown to those who may see it."""

from __future__ import annotations

import secrets

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from shared.contracts.rows import AuditRow
from shared.domain.instants import DAY_MS
from shared.registry import tables
from shared.runtime.logging import get_logger

KEPT_MS = 366 * DAY_MS
_SHOWN = 200
_log = get_logger()


def record(deps: Deps, person: Person, act: str, about: str = "", outcome: str = "done") -> None:
    """
    Write down what `person` did.

    Args:
        deps: Where to.
        person: Who did it.
        act: A word of ours: `integration.enabled`, `room.entered`.
        about: An id of ours, never a name or address.
        outcome: `done`, `refused`, or a code of ours.

    Raises:
        StoreUnavailableError: it is not written; say so rather than act unseen.
    """
    record_for(deps, person.tenant, person.user, act, about, outcome)


def record_for(deps: Deps, tenant: str, user: str, act: str, about: str = "", outcome: str = "done") -> None:
    """The same where nobody is waiting at a page: an act that goes on after its request was answered."""
    now_ms = deps.clock.now_ms()
    row = AuditRow(at_ms=now_ms, user=user, act=act, about=about, outcome=outcome)
    tables.audit(deps.engine.registry).put(
        tenant, f"{now_ms:015d}-{secrets.token_hex(4)}", row, not_after_ms=now_ms + KEPT_MS
    )
    _log.info("administrator_acted", tenant=tenant, user=user, act=act, about=about, outcome=outcome)


def latest(deps: Deps, tenant: str, limit: int = _SHOWN) -> list[AuditRow]:
    """The organisation's acts, newest first."""
    rows = sorted(tables.audit(deps.engine.registry).scan(tenant), key=lambda each: each[0], reverse=True)
    return [row for _, row in rows[:limit]]
