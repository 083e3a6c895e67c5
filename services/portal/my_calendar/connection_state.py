"""Where a person's grant stands, and how fresh what is known of their calendar is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.portal.interface.fields import Instant
from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.instants import to_rfc3339
from shared.grants.grant import ends_soon, waits_for_others, who_mends
from shared.providers.token_refusal import Mender
from shared.registry import tables

ConnectionState = Literal[
    "none", "connecting", "first-sync", "connected", "failing", "suspended", "revoked", "sleeping", "disconnecting"
]


class FreshnessShape(TypedDict):
    """How fresh what is known of the calendar is: to the minute, null where it never was, or not within two days."""

    heard: Instant | None
    """When the calendar system last told of a change."""
    checked: Instant | None
    """When the calendar was last read."""


class ConnectionShape(FreshnessShape):
    """Where a person's connection stands."""

    state: ConnectionState
    since: Instant | None
    reason: Annotated[str, Meta(examples=["invalid_grant"])] | None
    """A code of the provider's, or of ours."""
    endsAt: Instant | None
    """When the permission ends by itself, where the provider gave it for a time; null while that is not within eight days."""
    mends: NotRequired[Mender]
    """Of a connection that is revoked or suspended: who can mend it."""
    heldBack: NotRequired[bool]
    """Of a connection that is suspended: whether nothing was refused to it, and nobody is asked for since many others were."""


def read_connection(deps: Deps, person: Person) -> ConnectionShape:
    """
    Read the state of the person's connection, with its reason and its times, as the JSON API says it.

    `state` is `none`, `connecting`, `first-sync`, `connected`, `failing`, `suspended`, `revoked`, `sleeping` or
    `disconnecting`.
    """
    row: ConsentRow | None = tables.consents(deps.engine.registry).get(person.tenant, person.mailbox.id)
    if row is None:
        return {"state": "none", "since": None, "reason": None, "endsAt": None, "heard": None, "checked": None}
    at_ms = row.first_look_at_ms or row.connected_at_ms
    fresh = _read_freshness(deps, person)
    found: ConnectionShape = {
        "heard": fresh["heard"],
        "checked": fresh["checked"],
        "state": _state_of(row),
        "since": to_rfc3339(at_ms) if at_ms else None,
        "reason": row.reason or None,
        "endsAt": to_rfc3339(row.ends_at_ms) if ends_soon(row, deps.clock.now_ms()) else None,
    }
    if row.state in {ConsentState.REVOKED, ConsentState.SUSPENDED}:
        found["mends"] = Mender(who_mends(row.reason))
    if row.state is ConsentState.SUSPENDED:
        found["heldBack"] = waits_for_others(row)
    return found


def _read_freshness(deps: Deps, person: Person) -> FreshnessShape:
    """To the minute; None where it never was, or not within two days."""
    row = tables.freshness(deps.engine.registry).get(person.tenant, person.mailbox.id)
    heard_ms, checked_ms = (row.heard_at_ms, row.checked_at_ms) if row else (0, 0)
    return {
        "heard": to_rfc3339(heard_ms) if heard_ms else None,
        "checked": to_rfc3339(checked_ms) if checked_ms else None,
    }


def _state_of(row: ConsentRow) -> ConnectionState:
    if row.leaving_at_ms and row.state is not ConsentState.REVOKED:
        return "disconnecting"
    return _STATES.get(row.state) or ("connected" if row.first_look_at_ms else "first-sync")


_STATES: Mapping[ConsentState, ConnectionState] = {
    ConsentState.CONNECTING: "connecting",
    ConsentState.FAILING: "failing",
    ConsentState.SUSPENDED: "suspended",
    ConsentState.REVOKED: "revoked",
    ConsentState.SLEEPING: "sleeping",
}
"""Consents that say it with their own state."""
