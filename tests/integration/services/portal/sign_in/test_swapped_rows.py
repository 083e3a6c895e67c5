"""Somebody who can write to the registry's store moves rows: nothing of anybody else is read, and it is said aloud."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from services.portal.admin.integration.testflow.completion import known_directory
from shared.crypto.master import new_key, parse
from shared.domain.roles import Role
from shared.engines.bound_registry import BoundRegistry
from shared.errors import ConfigurationError, MalformedRecordError
from shared.ports.holdings import StoredRow
from shared.ports.registry import Registry
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office

KEYS = parse(new_key())


class Rows:
    """A store in memory, as an attacker sees it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], bytes] = {}

    def put(self, table: str, tenant: str, row: str, value: bytes, **_: Any) -> int:
        self.kept[table, tenant, row] = value
        return 1

    def everything(self) -> list[StoredRow]:
        return [StoredRow(*place, value) for place, value in sorted(self.kept.items())]


def beneath(office: Office) -> Registry:
    """The store itself, past what binds its rows."""
    assert isinstance(office.engine.registry, BoundRegistry)
    return office.engine.registry._registry


def swap(office: Office, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    store = beneath(office)
    found = [store.get(*place) for place in (one, other)]
    assert all(found)
    for place, row in zip((other, one), found, strict=True):
        assert row is not None
        store.put(*place, row.value)


@pytest.mark.proves("E11")
def test_session_of_one_person_is_not_anothers_by_a_moved_row(office: Office, ada: Browser, ben: Browser) -> None:
    sessions = [
        (row.table, row.tenant, row.row) for row in office.engine.registry.everything() if row.table == "sessions"
    ]
    assert len(sessions) == 2

    swap(office, sessions[0], sessions[1])

    for browser, other in ((ada, ben), (ben, ada)):
        answer = browser.client.get("/v1/me")
        assert answer.status_code == 500
        assert other.user not in answer.text
    assert isinstance(office.engine.registry, BoundRegistry)
    assert {each[:3] for each in office.engine.registry.refused()} == set(sessions)


@pytest.mark.proves("E11")
@pytest.mark.parametrize("table", ["directories", "users", "tenants"])
def test_people_of_one_organisation_do_not_come_into_another_by_a_moved_row(
    office: Office, ada: Browser, domain: str, table: str
) -> None:
    gil = office.signed_in(f"ada@g.{domain}", "google")
    places = [(row.table, row.tenant, row.row) for row in office.engine.registry.everything() if row.table == table]
    assert len(places) == 2

    swap(office, *places)

    asked = {"provider": "google", "for": "sign-in", "login_hint": f"ada@g.{domain}"}
    fresh = office.browser()
    answer = fresh.come_back(
        office.simulator.follow(fresh.client.get("/auth/login", query_string=asked).headers["Location"])
    )
    assert answer.status_code >= 400
    assert ada.tenant not in str(answer.headers)
    for browser, other in ((ada, gil), (gil, ada)):
        assert other.user not in browser.client.get("/v1/me").text


def stored(office: Office, table: str) -> dict[tuple[str, str, str], bytes]:
    """The rows of a table as they stand in the store, with what binds them."""
    store, found = beneath(office), {}
    for row in office.engine.registry.everything():
        if row.table == table and (at := store.get(row.table, row.tenant, row.row)):
            found[row.table, row.tenant, row.row] = at.value
    return found


@pytest.mark.proves("E10", "E11")
def test_row_that_is_put_back_to_an_earlier_state_is_believed(office: Office, ada: Browser) -> None:
    """
    This is no promise but the truth: a row proves its place, not its time (ADR 20).

    A right that was taken away is there again, and a session that was ended lives. That the right was taken stands in the
    record of acts all the same.
    """
    tables.users(office.engine.registry).change(
        ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=(Role.BUILDING_ADMIN,)) if row else None
    )
    users, sessions = stored(office, "users"), stored(office, "sessions")
    assert ada.client.get("/v1/admin/rooms").status_code == 200
    tables.users(office.engine.registry).change(
        ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=()) if row else None
    )
    assert ada.client.get("/v1/admin/rooms").status_code == 403
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    ada.post("/auth/logout")
    ada.client.set_cookie(cookie.key, cookie.value)
    assert ada.client.get("/v1/admin/rooms").status_code == 401

    for place, value in (users | sessions).items():
        beneath(office).put(*place, value)

    assert ada.client.get("/v1/admin/rooms").status_code == 200
    assert isinstance(office.engine.registry, BoundRegistry)
    assert list(office.engine.registry.refused()) == [], "nobody notices"


@pytest.mark.proves("E11", "E14")
def test_directory_of_one_organisation_that_was_tampered_with_stops_no_other_ones_integration(
    office: Office, ada: Browser, domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gil = office.signed_in(f"ada@g.{domain}", "google")
    store = beneath(office)
    [place] = [place for place in stored(office, "directories") if place[2].startswith("google")]
    found = store.get(*place)
    assert found is not None
    store.put(*place, found.value.replace(b"t-", b"u-", 1))
    row = tables.tenants(office.engine.registry).get(ada.tenant, "tenant")
    assert row is not None
    tables.users(office.engine.registry).change(
        ada.tenant,
        ada.user,
        lambda user: msgspec.structs.replace(user, roles=(Role.SUBSCRIPTION_ADMIN,)) if user else None,
    )

    assert known_directory(office.deps, ada.tenant, "microsoft") == row.directory
    assert known_directory(office.deps, gil.tenant, "google") == ""
    assert ada.client.get("/v1/admin/integration").status_code == 200
    said = capsys.readouterr()
    assert "/".join(place) in said.out + said.err


def test_row_of_another_place_table_or_text_is_refused_and_an_old_one_until_it_is_bound() -> None:
    store = Rows()
    registry = BoundRegistry(store, KEYS.row_keys(), KEYS.current)  # type: ignore[arg-type]
    place = ("rooms", "t-1", "r-1")
    registry.put(*place, b'{"name":"Aare"}')
    bound = store.kept[place]
    assert registry._plain(*place, bound) == b'{"name":"Aare"}'
    for other in (("audit", "t-1", "r-1"), ("rooms", "t-2", "r-1"), ("rooms", "t-1", "r-2"), ("room", "st-1", "r-1")):
        with pytest.raises(MalformedRecordError, match="refused"):
            registry._plain(*other, bound)
    with pytest.raises(MalformedRecordError):
        registry._plain(*place, bound.replace(b"Aare", b"Birs"))
    stranger = parse(new_key())
    with pytest.raises(ConfigurationError, match="rewrap"):
        BoundRegistry(store, stranger.row_keys(), stranger.current)._plain(*place, bound)  # type: ignore[arg-type]

    old = b'{"name":"Old"}'
    strict = BoundRegistry(store, KEYS.row_keys(), KEYS.current, refuse_unbound=True)  # type: ignore[arg-type]
    assert registry._plain(*place, old) == old
    with pytest.raises(MalformedRecordError, match="no place"):
        strict._plain(*place, old)
    empty = registry._bound(*place, b"{}")
    assert strict._plain(*place, empty) == b"{}"


@pytest.mark.proves("E11")
def test_rows_of_the_first_version_and_of_a_former_master_key_are_bound_anew(office: Office, ada: Browser) -> None:
    registry = office.engine.registry
    assert isinstance(registry, BoundRegistry)
    before = registry.everything()
    unbound = [row for row in before if tables.may_be_unbound(row.table, row.row)][::2]
    for row in unbound:
        beneath(office).put(row.table, row.tenant, row.row, row.value, not_after_ms=row.not_after_ms)

    assert registry.rebind() == len(unbound) > 2

    assert registry.rebind() == 0
    assert registry.everything() == before
    strict = BoundRegistry(beneath(office), registry._keys, registry._current, refuse_unbound=True)  # type: ignore[arg-type]
    assert strict.everything() == [dataclasses.replace(row) for row in before]
    assert ada.client.get("/v1/me").status_code == 200
