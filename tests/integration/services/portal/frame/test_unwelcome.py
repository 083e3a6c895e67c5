"""Whose streams are to end: all sessions of an organisation are looked at together, and each is judged by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from services.portal.frame.sessions import find_unwelcome
from shared.contracts.rows import IntegrationState
from shared.engines.bound_registry import BoundRegistry
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office


def pairs(office: Office, tenant: str) -> dict[str, str]:
    """User → session."""
    return {row.user: session for session, row in tables.sessions(office.engine.registry).scan(tenant)}


def unwelcome(office: Office, ada: Browser, known: dict[str, str]) -> set[str]:
    return find_unwelcome(office.deps, ada.tenant, ((session, user) for user, session in known.items()))


def test_sessions_that_go_on_are_welcome(office: Office, ada: Browser, ben: Browser) -> None:
    known = pairs(office, ada.tenant)
    assert known.keys() == {ada.user, ben.user}
    assert unwelcome(office, ada, known) == set()


def test_session_ends_with_signing_out_here_or_everywhere(office: Office, ada: Browser, ben: Browser) -> None:
    known = pairs(office, ada.tenant)
    tables.users(office.engine.registry).change(
        ada.tenant, ben.user, lambda row: row and msgspec.structs.replace(row, session_epoch=row.session_epoch + 1)
    )
    assert unwelcome(office, ada, known) == {known[ben.user]}
    ada.client.post("/auth/logout", data={"csrf": ada.csrf})
    assert unwelcome(office, ada, known) == set(known.values())


def test_session_is_of_one_person(office: Office, ada: Browser, ben: Browser) -> None:
    known = pairs(office, ada.tenant)
    assert unwelcome(office, ada, {ben.user: known[ada.user]}) == {known[ada.user]}


def test_organisation_that_is_off_welcomes_nobody(office: Office, ada: Browser, ben: Browser) -> None:
    known = pairs(office, ada.tenant)
    tables.tenants(office.engine.registry).change(
        ada.tenant,
        "tenant",
        lambda row: row and msgspec.structs.replace(row, integration=IntegrationState.DISABLED),
    )
    assert unwelcome(office, ada, known) == set(known.values())


@pytest.mark.parametrize("table", [tables.sessions, tables.users], ids=["session", "person"])
def test_row_that_is_refused_ends_the_streams_of_its_person_alone(
    office: Office, ada: Browser, ben: Browser, table: tables.Table[Any]
) -> None:
    known, registry = pairs(office, ada.tenant), office.engine.registry
    assert isinstance(registry, BoundRegistry)
    row_id = known[ben.user] if table is tables.sessions else ben.user
    stored = registry._registry.get(table.name, ada.tenant, row_id)
    assert stored is not None
    registry._registry.put(table.name, ada.tenant, row_id, stored.value.replace(b'{"', b'{ "', 1))
    assert unwelcome(office, ada, known) == {known[ben.user]}


def test_many_cost_as_many_questions_as_one(office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, asked = type(office.engine.registry), Counter[str]()

    def counted(read: Callable[..., Any]) -> Callable[..., Any]:
        def counting(self: Any, table: str, *args: Any) -> Any:
            asked[table] += 1
            return read(self, table, *args)

        return counting

    for name in ("get", "get_many"):
        monkeypatch.setattr(registry, name, counted(getattr(registry, name)))
    find_unwelcome(office.deps, ada.tenant, [(f"s-{number}", f"u-{number}") for number in range(200)])
    assert asked == {"tenants": 1, "sessions": 1, "users": 1}
