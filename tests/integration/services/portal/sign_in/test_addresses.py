"""One person by all their addresses: the sign-in name, the mail address and aliases, asked of the real client's simulator."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS
from shared.domain.roles import Role
from shared.grants.vault import ConsentVault
from shared.organisations.addresses import people_by_address
from shared.organisations.appointments import appoint
from shared.organisations.candidates import candidates
from shared.ports.calendar import CalendarProvider
from shared.providers.microsoft.client import GraphCalendar
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.described_answers import described_portal
from tests.support.emptiness import found, in_files

pytestmark = pytest.mark.proves("B26")


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator, domain: str) -> Iterator[Office]:
    """A portal whose calendar at Microsoft is the simulator's; Cleo signs in by another name than she is invited by."""
    with an_office(tmp_path / "home", simulator) as office:
        graph = GraphCalendar(office.settings.microsoft_graph_url, office.settings.call_timeout_s)
        providers: dict[Provider, CalendarProvider] = {Provider.MICROSOFT: graph}
        office.deps = dataclasses.replace(office.deps, providers=providers)
        office.app = described_portal(office.deps)
        cleo = simulator.post(
            "users",
            tenant=domain,
            name="Cleo",
            address=f"cleo.lind@{domain}",
            signInName=f"cl042@{domain}",
            aliases=[f"cleo.maiden@{domain}"],
        )
        simulator.post(f"users/{cleo['id']}/consents", granted=True)
        yield office
        simulator.faults(contradicts=[])
        graph.close()


def row_of(office: Office, browser: Browser) -> Any:
    row = tables.users(office.engine.registry).get(browser.tenant, browser.user)
    assert row is not None
    return row


def change(office: Office, browser: Browser, **wanted: Any) -> None:
    row = msgspec.structs.replace(row_of(office, browser), **wanted)
    tables.users(office.engine.registry).put(browser.tenant, browser.user, row)


def whose(office: Office, browser: Browser) -> Any:
    return people_by_address(tables.users(office.engine.registry).scan(browser.tenant))


def kinds(office: Office, reader: Browser, domain: str, *invited: str) -> list[str]:
    """How a meeting's people are called to Ada, who organises it."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=26)
    office.simulator.post(
        "meetings",
        organizer=f"ada@{domain}",
        title="Planning",
        start=start.isoformat(),
        end=(start + timedelta(hours=1)).isoformat(),
        attendees=list(invited),
    )
    days = reader.client.get("/v1/me/agenda?zone=UTC").json["days"]
    return [who["kind"] for day in days for each in day["items"] for who in each["attendees"]]


@pytest.mark.parametrize("invited_as", ["cleo.lind", "cleo.maiden", "cl042", "CLEO.Maiden"])
def test_colleague_is_known_by_whatever_address_invites_them(
    office: Office, ada: Browser, domain: str, invited_as: str
) -> None:
    office.signed_in(f"cl042@{domain}")
    assert kinds(office, ada, domain, f"{invited_as}@{domain}", "fritzi@elsewhere.example") == ["colleague", "guest"]


def test_person_is_known_to_themselves_by_an_alias(office: Office, ada: Browser, domain: str) -> None:
    cleo = office.signed_in(f"cl042@{domain}")
    assert kinds(office, cleo, domain, f"cleo.maiden@{domain}") == ["you"]
    assert ada.user != cleo.user


def test_directory_that_says_nothing_of_aliases_leaves_the_others(office: Office, ada: Browser, domain: str) -> None:
    office.simulator.faults(contradicts=["microsoft.own-addresses"])
    office.signed_in(f"cl042@{domain}")
    named = kinds(office, ada, domain, f"cleo.lind@{domain}", f"cl042@{domain}", f"cleo.maiden@{domain}")
    assert named == ["colleague", "colleague", "guest"]


def test_other_addresses_are_at_rest_as_keyed_hashes_and_the_mail_address_is_sealed(
    office: Office, domain: str
) -> None:
    cleo = office.signed_in(f"cl042@{domain}")
    row, keys = row_of(office, cleo), office.keys(cleo.tenant)
    names = ("cl042", "cleo.lind", "cleo.maiden")
    assert row.hashes == {keys.person(f"{name}@{domain}") for name in names}
    vault = ConsentVault(office.engine.keyring)
    assert vault.mail_address_of(cleo.tenant, cleo.user, row) == f"cleo.lind@{domain}"
    assert vault.address_of(cleo.tenant, cleo.user, row) == f"cl042@{domain}"
    assert found(in_files(office.home), ["cleo.lind", "cleo.maiden", "cl042"]) == []


@pytest.mark.parametrize("before", [True, False], ids=["appointed before", "appointed after"])
def test_somebody_appointed_by_an_alias_is_a_candidate_and_has_no_right_by_it(
    office: Office, ada: Browser, domain: str, *, before: bool
) -> None:
    registry, keyring = office.engine.registry, office.engine.keyring
    organisation = tables.tenants(registry).get(ada.tenant, "tenant")
    assert organisation is not None
    change(office, ada, roles=(Role.SUBSCRIPTION_ADMIN.value,))
    if before:
        appoint(registry, keyring, ada.tenant, organisation, f"cleo.maiden@{domain}", Role.BUILDING_ADMIN)
    cleo = office.signed_in(f"cl042@{domain}")
    if not before:
        asked = {"address": f"cleo.maiden@{domain}", "role": Role.BUILDING_ADMIN.value}
        assert ada.post("/v1/admin/people", json=asked).status_code == 201
    [waiting] = candidates(registry, keyring, ada.tenant)
    assert (waiting.user, row_of(office, cleo).roles) == (cleo.user, ())


def test_colleagues_alias_is_no_room(office: Office, ada: Browser, domain: str) -> None:
    change(office, ada, roles=(Role.SUBSCRIPTION_ADMIN.value,))
    office.signed_in(f"cl042@{domain}")
    entered = ada.post("/v1/admin/rooms", json={"address": f"cleo.maiden@{domain}", "name": "Aare"})
    assert (entered.status_code, entered.json["code"]) == (422, "room-is-person")


def test_address_that_became_somebody_elses_sign_in_is_theirs(office: Office, ada: Browser, domain: str) -> None:
    cleo = office.signed_in(f"cl042@{domain}")
    mine = office.keys(ada.tenant).person(f"ada@{domain}")
    change(office, cleo, aliases=(*row_of(office, cleo).aliases, mine))
    assert whose(office, ada)[mine][0] == ada.user


def test_directory_that_is_away_keeps_nobody_out(office: Office, domain: str) -> None:
    httpx.put(f"{office.simulator.url}/sim/v1/faults", json={"errorShare": 1.0}).raise_for_status()
    try:
        cleo = office.signed_in(f"cl042@{domain}")
    finally:
        httpx.put(f"{office.simulator.url}/sim/v1/faults", json={"errorShare": 0.0}).raise_for_status()
    assert row_of(office, cleo).aliases == ()


def test_sign_in_asks_the_directory_again_a_day_later(office: Office, domain: str) -> None:
    httpx.put(f"{office.simulator.url}/sim/v1/faults", json={"errorShare": 1.0}).raise_for_status()
    cleo = office.signed_in(f"cl042@{domain}")
    httpx.put(f"{office.simulator.url}/sim/v1/faults", json={"errorShare": 0.0}).raise_for_status()
    assert office.browser().enter(f"cl042@{domain}").status_code == 303
    assert row_of(office, cleo).aliases == (), "once a day at most: a directory that is away would delay each sign-in"
    change(office, cleo, addresses_at_ms=office.clock.now_ms() - DAY_MS)
    assert office.browser().enter(f"cl042@{domain}").status_code == 303
    assert len(row_of(office, cleo).aliases) == 2
