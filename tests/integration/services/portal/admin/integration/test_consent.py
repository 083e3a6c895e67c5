"""An administrator of the directory consents for everybody, at the simulated provider, and comes back as nobody of ours."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec
import pytest

from services.portal.sign_in import tenant_consent
from shared.contracts.rows import IntegrationState
from shared.domain.instants import DAY_MS, SECOND_MS
from shared.registry import tables
from tests.integration.services.portal.admin.administration import (
    Building,
    Chief,
    a_building,
    asked_scopes,
    led_to,
    truth,
    way_back,
)
from tests.integration.services.portal.office import Simulator

OTHER = "11111111-2222-3333-4444-555555555555"


@dataclass
class Firm:
    """An organisation at Microsoft, off, in whose directory nobody has consented to anything."""

    building: Building
    domain: str
    directory: str
    tenant: str
    chief: Chief

    @property
    def address(self) -> str:
        return f"ada@{self.domain}"

    @property
    def shown(self) -> dict[str, Any]:
        answer = self.chief.client.get("/v1/admin/integration/consent")
        assert answer.status_code == 200, answer.text
        [found] = answer.json["providers"]
        assert isinstance(found, dict)
        return found

    @property
    def seen(self) -> Any:
        microsoft, google = self.chief.integration["providers"]
        assert google["tenantConsent"] is None
        return microsoft["tenantConsent"]["seen"]

    def test(self) -> dict[str, Any]:
        """Try the integration; whoever meets the page that asks for an administrator goes back from it."""
        assert self.chief.call("POST", "/v1/admin/integration/test", provider="microsoft").status_code == 202
        asked = self.chief.post("/admin/integration/test/depart", provider="microsoft")
        answer = httpx.get(led_to(asked.text), follow_redirects=False)
        if answer.status_code == 200:
            assert "Need admin approval" in answer.text
            answer = httpx.post(led_to(asked.text), data={"decision": "deny"}, follow_redirects=False)
        self.chief.client.get(path_of(answer.headers["Location"]))
        return self.chief.result()


def path_of(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}"


def entra(link: str, address: str, decision: str = "approve") -> str:
    """The path of ours to which an Entra administrator's browser comes back from `link`."""
    answer = httpx.post(f"{link}&login_hint={address}", data={"decision": decision}, follow_redirects=False)
    assert answer.status_code == 302, answer.text
    return path_of(answer.headers["Location"])


def changed(path: str, **changes: str) -> str:
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return f"{parts.path}?{urlencode(query)}"


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator_url: str) -> Iterator[Building]:
    simulator = Simulator(simulator_url)
    simulator.faults(roomDelayMs=[20, 60])
    with a_building(tmp_path_factory.mktemp("firm"), simulator) as found:
        yield found
    simulator.faults(reset=True)


@pytest.fixture
def firm(building: Building) -> Firm:
    return a_firm(building)


def a_firm(building: Building) -> Firm:
    domain = f"x{uuid.uuid4().hex[:8]}.test"
    post = building.simulator.post
    directory = post("tenants", provider="microsoft", name="Contoso", domain=domain)["id"]
    for name in ("ada", "eve"):
        user = post("users", tenant=directory, name=name.title(), address=f"{name}@{domain}")
        post(f"users/{user['id']}/consents", granted=True, scopes=["openid", "profile", "email"])
    post("rooms", tenant=directory, name="room", address=f"room@{domain}", capacity=4, rules={"mode": "auto"})
    tenant = building.tenant("microsoft", directory, f"ada@{domain}")
    firm = Firm(building, domain, directory, tenant, building.signed_in(f"ada@{domain}", "microsoft"))
    building.enter_room(tenant, f"room@{domain}")
    return firm


@pytest.mark.proves("B27")
def test_page_says_what_is_asked_for_and_its_link_asks_that_of_the_organisations_own_directory(firm: Firm) -> None:
    shown, page = firm.shown, firm.chief.client.get("/admin/integration/consent").text

    for link, rooms in ((shown["link"], False), (shown["linkWithRooms"], True)):
        parts = urlsplit(link)
        assert parts.path.endswith(f"/{firm.directory}/v2.0/adminconsent")
        query = parse_qs(parts.query)
        assert query["client_id"] == ["roomsync"]
        assert query["redirect_uri"] == ["http://localhost/auth/callback"]
        asked = asked_scopes(link)
        assert "https://graph.microsoft.com/Calendars.ReadWrite" in asked
        assert {"openid", "profile", "email", "offline_access"} < set(asked)
        assert ("https://graph.microsoft.com/Place.Read.All" in asked) is rooms
    assert [each["scope"] for each in shown["permissions"]] == asked_scopes(shown["link"])
    assert all(f"<code>{scope}</code>" in page for scope in asked_scopes(shown["link"]))
    assert "tenant-wide admin consent" in page
    assert "Delegated permissions only" in page


@pytest.mark.proves("B27")
def test_consent_of_somebody_without_a_session_is_seen_and_gives_nobody_a_right(firm: Firm) -> None:
    stranger = firm.building.browser()
    registry = firm.building.engine.registry
    assert firm.seen is None
    assert "No consent for everybody was seen yet" in firm.chief.client.get("/admin/integration").text
    before = [list(table(registry).scan(firm.tenant)) for table in (tables.tenants, tables.users, tables.appointments)]

    back = stranger.client.get(entra(firm.shown["link"], f"eve@{firm.domain}"))

    assert back.status_code == 200
    assert "Thank you" in back.text
    assert "Set-Cookie" not in back.headers
    assert stranger.client.get("/v1/admin/integration").status_code == 401
    after = [list(table(registry).scan(firm.tenant)) for table in (tables.tenants, tables.users, tables.appointments)]
    assert after == before
    seen = firm.seen
    assert (seen["directory"], seen["isOwnDirectory"], seen["missing"]) == (firm.directory, True, [])
    assert "Calendars.ReadWrite" in seen["scopes"]
    assert seen["roomImport"] is False
    for path in ("/admin/integration", "/admin/integration/consent"):
        page = firm.chief.client.get(path).text
        assert "was <strong>seen</strong>" in page
        assert seen["at"] in page
        assert "Calendars.ReadWrite" in page


@pytest.mark.proves("B27", "E13")
def test_administrator_without_the_consent_is_told_to_get_it_and_with_it_the_test_passes(firm: Firm) -> None:
    found = firm.test()
    [trouble] = found["test"]["troubles"]
    assert (trouble["code"], trouble["providerCode"]) == ("declined-or-approval", "access_denied")
    assert trouble["who"] == "Your organisation's IT administrator"
    page = firm.chief.client.get("/admin/integration/test/result").text
    assert 'href="/admin/integration/consent"' in page

    firm.building.browser().client.get(entra(firm.shown["link"], firm.address))

    assert firm.test()["state"] == "enabled"


@pytest.mark.proves("B27")
def test_first_screen_of_the_test_begins_with_the_consent_which_can_be_skipped(firm: Firm) -> None:
    firm.building.simulator.faults(oauth={"usersMayConsent": True})
    user = next(each["id"] for each in truth(firm.building.simulator, "users") if each["address"] == firm.address)
    firm.building.simulator.post(f"users/{user}/consents", granted=True)
    firm.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")
    page = firm.chief.client.get("/admin/integration/test").text
    assert page.index("First: consent for everybody") < page.index('<ol class="will">')
    assert "You may skip this" in page

    assert firm.test()["state"] == "enabled"
    assert firm.seen is None
    firm.building.simulator.faults(oauth={})


@pytest.mark.proves("B27")
def test_rooms_of_the_directory_are_asked_for_only_while_none_is_entered(firm: Firm) -> None:
    firm.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")

    def asked() -> list[str]:
        return asked_scopes(led_to(firm.chief.post("/admin/integration/test/depart", provider="microsoft").text))

    def listed() -> list[str]:
        microsoft, _ = firm.chief.integration["providers"]
        return [each["scope"] for each in microsoft["permissions"]["test"]]

    assert "Place.Read.All" not in asked()
    assert asked() == listed()
    registry = firm.building.engine.registry
    for room, _ in list(tables.rooms(registry).scan(firm.tenant)):
        tables.rooms(registry).delete(firm.tenant, room)
    assert "Place.Read.All" in asked()
    assert asked() == listed()


@pytest.mark.proves("B27")
def test_administrator_who_declines_is_told_so_and_nothing_is_seen(firm: Firm) -> None:
    path = entra(firm.shown["link"], firm.address, "deny")
    assert "admin_consent=True" in path  # as Microsoft sends it beside an error

    back = firm.building.browser().client.get(path)

    assert back.status_code == 403
    assert "The consent was not given" in back.text
    assert "AADSTS65004" in back.text
    assert firm.seen is None


@pytest.mark.proves("B27")
def test_answer_that_is_not_what_was_asked_for_is_not_seen(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    good = entra(firm.shown["link"], firm.address)
    state = parse_qs(urlsplit(good).query)["state"][0]
    other_firm = a_firm(firm.building)
    forged = [
        changed(good, tenant=OTHER),
        changed(good, tenant="organizations"),
        changed(good, admin_consent="False"),
        changed(good, state=state.replace(firm.tenant, other_firm.tenant)),
        changed(good, state=state.replace(firm.directory, "any"), tenant=OTHER),
        changed(good, state="consent."),
        changed(good, state=state[:-1] + ("a" if state[-1] != "a" else "b")),
        changed(good, state=state + "ä"),
        changed(good, error="access_denied"),
    ]
    for path in forged:
        back = firm.building.browser().client.get(path)
        assert back.status_code == 403, path
        assert "Thank you" not in back.text
    later = firm.building.deps.clock.now_ms() + tenant_consent.LIFE_MS + SECOND_MS
    monkeypatch.setattr(type(firm.building.deps.clock), "now_ms", lambda _: later)
    assert firm.building.browser().client.get(good).status_code == 403
    monkeypatch.undo()
    assert (firm.seen, other_firm.seen) == (None, None)

    assert firm.building.browser().client.get(good).status_code == 200
    assert firm.seen is not None
    assert DAY_MS < tenant_consent.LIFE_MS


@pytest.mark.proves("B27")
def test_consent_that_leaves_something_out_says_what(firm: Firm) -> None:
    good = entra(firm.shown["link"], firm.address)
    firm.building.browser().client.get(changed(good, scope="https://graph.microsoft.com/User.Read <script>"))

    assert firm.seen["missing"] == ["Calendars.ReadWrite"]
    assert firm.seen["scopes"] == ["User.Read"]
    page = firm.chief.client.get("/admin/integration").text
    assert "leaves out what connecting asks for: <code>Calendars.ReadWrite</code>" in page


@pytest.mark.proves("B27", "B19")
def test_deployment_that_only_observes_asks_an_administrator_to_let_calendars_be_read(
    tmp_path: Path, simulator_url: str
) -> None:
    with a_building(tmp_path / "observing", Simulator(simulator_url), writes="off") as building:
        firm = a_firm(building)
        asked = asked_scopes(firm.shown["link"])
        building.browser().client.get(entra(firm.shown["link"], firm.address))

        assert "https://graph.microsoft.com/Calendars.Read" in asked
        assert "https://graph.microsoft.com/Calendars.ReadWrite" not in asked
        assert firm.seen["missing"] == []
        assert "is read as that person" in firm.chief.client.get("/admin/integration/consent").text


@pytest.mark.proves("B27")
def test_directory_that_is_not_joined_is_named_as_such_and_stays_unjoined(building: Building) -> None:
    """An organisation that came with Google: the consent says of no directory whose it is."""
    firm = a_firm(building)
    registry = building.engine.registry
    domain = f"g.{firm.domain}"
    building.simulator.post("tenants", provider="google", name="Contoso", domain=domain)
    user = building.simulator.post("users", tenant=domain, name="Gil", address=f"gil@{domain}")
    building.simulator.post(f"users/{user['id']}/consents", granted=True)
    tenant = building.tenant("google", domain, f"gil@{domain}")
    chief = building.signed_in(f"gil@{domain}", "google")
    theirs = Firm(building, domain, domain, tenant, chief)
    link = theirs.shown["link"]
    assert urlsplit(link).path.endswith("/organizations/v2.0/adminconsent")

    building.browser().client.get(entra(link, firm.address))

    assert (theirs.seen["directory"], theirs.seen["isOwnDirectory"]) == (firm.directory, False)
    assert "not joined with your organisation" in chief.client.get("/admin/integration").text
    row = tables.directories(registry).get("-", f"microsoft:{firm.directory}")
    assert row is not None
    assert row.tenant == firm.tenant
    assert firm.seen is None


@pytest.mark.proves("B27")
@pytest.mark.parametrize("heading", ["Need admin approval", "Approval required"])
def test_heading_of_a_page_without_a_code_is_understood_in_the_test_too(firm: Firm, heading: str) -> None:
    firm.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")
    firm.chief.post("/admin/integration/test/depart", provider="microsoft")
    firm.chief.post("/admin/integration/test/reported", code=heading)

    [trouble] = firm.chief.integration["test"]["troubles"]
    assert trouble["code"] == "admin-approval-required"


@pytest.mark.proves("B27")
def test_person_who_is_kept_from_consenting_gets_the_link_and_connects_once_it_was_used(firm: Firm) -> None:
    tables.tenants(firm.building.engine.registry).change(
        firm.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=IntegrationState.ENABLED) if row else None,
    )
    eve = firm.building.signed_in(f"eve@{firm.domain}", "microsoft")
    gone = eve.call("POST", "/v1/me/calendar/connect").json["location"]
    assert "Need admin approval" in httpx.get(gone).text
    page = eve.client.get(path_of(httpx.post(gone, data={"decision": "deny"}).headers["Location"]))
    assert page.status_code == 403
    assert "<code>declined-or-approval</code>" in page.text
    link = link_on(page.text)
    assert urlsplit(link).path.endswith(f"/{firm.directory}/v2.0/adminconsent")

    firm.building.browser().client.get(entra(link, firm.address))

    assert firm.seen["missing"] == []
    again = eve.call("POST", "/v1/me/calendar/connect").json["location"]
    back = eve.client.get(way_back(firm.building.simulator, again, f"eve@{firm.domain}"))
    assert (back.status_code, back.headers.get("Location")) == (303, "/profile")


def link_on(page: str) -> str:
    """The link for the administrator that a page shows."""
    shown = page.partition('<textarea id="consent-link"')[2].partition(">")[2].partition("</textarea>")[0]
    assert shown, page
    return shown.replace("&amp;", "&")
