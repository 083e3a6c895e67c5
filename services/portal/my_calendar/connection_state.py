"""Where a person's grant stands, and how fresh what is known of their calendar is."""

from __future__ import annotations

from typing import Any

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.instants import to_rfc3339
from shared.grants.grant import who_mends
from shared.registry import tables


def read_connection(deps: Deps, person: Person) -> dict[str, Any]:
    """
    Read the state of the person's connection, with its reason and its times, as the JSON API says it.

    `state` is `none`, `connecting`, `first-sync`, `connected`, `failing`, `suspended`, `revoked`, `sleeping` or
    `disconnecting`.
    """
    row: ConsentRow | None = tables.consents(deps.engine.registry).get(person.tenant, person.mailbox.id)
    if row is None:
        return {"state": "none", "since": None, "reason": None, "heard": None, "checked": None}
    at_ms = row.first_look_at_ms or row.connected_at_ms
    return {
        "state": _state_of(row),
        "since": to_rfc3339(at_ms) if at_ms else None,
        "reason": row.reason or None,
        **_read_freshness(deps, person),
        **({"mends": who_mends(row.reason)} if row.state in {ConsentState.REVOKED, ConsentState.SUSPENDED} else {}),
    }


def _read_freshness(deps: Deps, person: Person) -> dict[str, str | None]:
    """To the minute; None where it never was, or not within two days."""
    row = tables.freshness(deps.engine.registry).get(person.tenant, person.mailbox.id)
    heard_ms, checked_ms = (row.heard_at_ms, row.checked_at_ms) if row else (0, 0)
    return {
        "heard": to_rfc3339(heard_ms) if heard_ms else None,
        "checked": to_rfc3339(checked_ms) if checked_ms else None,
    }


def _state_of(row: ConsentRow) -> str:
    if row.leaving_at_ms and row.state is not ConsentState.REVOKED:
        return "disconnecting"
    if row.state is not ConsentState.ACTIVE:
        return row.state.value
    return "connected" if row.first_look_at_ms else "first-sync"
