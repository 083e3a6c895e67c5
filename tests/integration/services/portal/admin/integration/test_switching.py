"""Switching off and changing the calendar system: asked first, with the real counts; cancelled or confirmed."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.portal.admin.integration.testflow.completion import enable
from services.portal.admin.integration.testflow.deciding.run import Stage, Step, TestRun
from services.portal.admin.integration.testflow.run_store import Runs
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from shared.contracts.rows import ConsentState, IntegrationState
from shared.domain.identity import Mailbox, Provider
from shared.errors import RefusedError
from shared.organisations.enrolment import introduce, join, tenant_of
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


@dataclass
class Company:
    """One organisation at both providers; enabled at Microsoft, with people connected and rooms paired."""

    building: Building
    domain: str
    tenant: str
    chief: Chief

    @property
    def state(self) -> IntegrationState:
        return self.building.state(self.tenant)

    def connected(self, *names: str) -> None:
        for name in names:
            browser = self.building.browser()
            browser.sign_in(f"{name}@{self.domain}", "microsoft")
            answer = browser.connect()
            assert answer.status_code == 303, answer.text
            registry = self.building.engine.registry
            for mailbox, row in list(tables.consents(registry).scan(self.tenant)):
                tables.consents(registry).put(
                    self.tenant, mailbox, msgspec.structs.replace(row, state=ConsentState.ACTIVE)
                )

    def enabled(self) -> None:
        tables.tenants(self.building.engine.registry).change(
            self.tenant,
            "tenant",
            lambda row: msgspec.structs.replace(row, integration=IntegrationState.ENABLED) if row else None,
        )
        for number in range(3):
            self.building.enter_room(self.tenant, f"room{number}@{self.domain}")
        registry = self.building.engine.registry
        for room, row in list(tables.rooms(registry).scan(self.tenant)):
            tables.rooms(registry).put(self.tenant, room, msgspec.structs.replace(row, paired=True))


@pytest.fixture
def company(tmp_path: Path, simulator: Simulator, domain: str) -> Iterator[Company]:
    with a_building(tmp_path / "home", simulator) as building:
        directory = next(each["id"] for each in truth(simulator, "tenants") if each["domain"] == domain)
        simulator.post("rooms", tenant=f"g.{domain}", name="Room", address=f"room@g.{domain}", capacity=4)
        tenant = building.tenant("microsoft", directory, f"ada@{domain}")
        company = Company(building, domain, tenant, building.signed_in(f"ada@{domain}", "microsoft"))
        company.enabled()
        company.connected("ada", "ben")
        yield company


@pytest.mark.proves("E27")
def test_without_the_confirmation_nothing_is_switched_and_the_real_counts_are_told(company: Company) -> None:
    answer = company.chief.call("POST", "/v1/admin/integration/off")

    assert answer.status_code == 409
    assert answer.json["code"] == "not-confirmed"
    assert answer.json["consequences"] == {"people": 2, "subscriptions": 2, "rooms": 3, "prompts": 0}
    assert company.state is IntegrationState.ENABLED

    page = company.chief.post("/admin/integration/off")
    assert page.status_code == 409
    assert "<strong>2</strong> people are" in page.text
    assert "<strong>3</strong> rooms are" in page.text
    assert company.state is IntegrationState.ENABLED


@pytest.mark.proves("E27", "E26")
def test_confirmed_it_is_switched_off_once(company: Company) -> None:
    shown = company.chief.client.get("/admin/integration/off").text
    word = confirmation_in(shown)

    assert company.chief.post("/admin/integration/off", confirmation=word).status_code == 303

    assert company.state is IntegrationState.DISABLED
    rooms = [row for _, row in tables.rooms(company.building.engine.registry).scan(company.tenant)]
    assert len(rooms) == 3
    assert not any(row.paired for row in rooms)
    assert company.chief.call("POST", "/v1/admin/integration/off", confirmation=word).status_code == 409


@pytest.mark.proves("E28", "E32")
def test_each_switch_says_what_becomes_of_the_permissions_that_sleep(company: Company) -> None:
    before = company.chief.client.get("/admin/integration").text
    shown = company.chief.client.get("/admin/integration/off").text
    company.chief.post("/admin/integration/off", confirmation=confirmation_in(shown))

    page = company.chief.client.get("/admin/integration").text
    microsoft, google = page.partition('aria-labelledby="p-microsoft"')[2].split('aria-labelledby="p-google"', 1)
    assert "then those are whose permission sleeps, and nobody else" in microsoft
    assert "the permissions that people gave for Microsoft 365 are forgotten here" in google
    assert "forgotten" not in microsoft + before


@pytest.mark.proves("E27")
def test_confirmation_is_worth_nothing_in_another_session_or_once_things_have_changed(company: Company) -> None:
    word = company.chief.call("GET", "/v1/admin/integration/off").json["confirmation"]
    other = company.building.signed_in(f"ada@{company.domain}", "microsoft")

    assert other.call("POST", "/v1/admin/integration/off", confirmation=word).status_code == 409
    assert (
        company.chief.call("POST", "/v1/admin/integration/switch", provider="google", confirmation=word).status_code
        == 409
    )
    company.chief.call("PUT", "/v1/admin/integration/contact", contact="ext. 12")
    assert company.chief.call("POST", "/v1/admin/integration/off", confirmation=word).status_code == 409
    assert company.state is IntegrationState.ENABLED


@pytest.mark.proves("E32")
def test_other_calendar_system_asks_first_and_cancelling_changes_nothing(company: Company) -> None:
    before = company.building.row(company.tenant)

    toggled = company.chief.post("/admin/integration/test", provider="google")
    assert toggled.headers["Location"] == "/admin/integration/switch?provider=google"
    asked = company.chief.client.get(toggled.headers["Location"]).text
    refused = company.chief.call("POST", "/v1/admin/integration/test", provider="google")

    assert "Only one calendar system" in asked
    assert "Cancel" in asked
    assert (refused.status_code, refused.json["code"]) == (409, "integration-on")
    assert company.building.row(company.tenant) == before


@pytest.mark.proves("E11", "E32")
def test_members_sign_in_makes_no_directory_another_organisations(company: Company) -> None:
    """An administrator here is an ordinary employee there: the test with that account must not bring it here."""
    registry = company.building.engine.registry
    asked = company.chief.client.get("/admin/integration/switch?provider=google").text
    company.chief.post("/admin/integration/switch", provider="google", confirmation=confirmation_in(asked))

    company.chief.depart("google", f"ada@g.{company.domain}")
    found = company.chief.result()

    assert [each["code"] for each in found["test"]["troubles"]] == ["directory-unproven"]
    assert "tenants join" in str(found["test"])
    assert tenant_of(registry, "google", f"g.{company.domain}") is None
    assert company.state is IntegrationState.FAILED
    assert company.building.browser().sign_in(f"ben@g.{company.domain}", "google").status_code == 403


def prove(company: Company, provider: str = "google") -> Any:
    """Press the button that shows who administers the directory, as Ada's account there, and come back."""
    asked = company.chief.post("/admin/integration/directory", provider=provider)
    path = way_back(company.building.simulator, led_to(asked.text), f"ada@g.{company.domain}")
    return company.chief.client.get(path)


def to_google(company: Company) -> None:
    asked = company.chief.client.get("/admin/integration/switch?provider=google").text
    company.chief.post("/admin/integration/switch", provider="google", confirmation=confirmation_in(asked))


@pytest.mark.proves("E11", "E32")
@pytest.mark.parametrize("switch", [{}, {"notAdmins": ["ada@g.{domain}"]}, {"superAdmins": ["ben@g.{domain}"]}])
def test_who_does_not_administer_the_whole_directory_joins_none(company: Company, switch: dict[str, list[str]]) -> None:
    """A delegated administrator, nobody in particular, and a colleague of the one who does."""
    to_google(company)
    company.building.simulator.faults(
        **{name: [each.format(domain=company.domain) for each in whom] for name, whom in switch.items()}
    )

    answer = prove(company)

    company.building.simulator.faults(notAdmins=[], superAdmins=[])
    assert (answer.status_code, "directory-unproven" in answer.text) == (403, True)
    assert tenant_of(company.building.engine.registry, "google", f"g.{company.domain}") is None


@pytest.mark.proves("E32")
def test_super_administrator_shows_it_once_and_the_directory_is_the_organisations(company: Company) -> None:
    to_google(company)
    asleep = list(tables.consents(company.building.engine.registry).scan(company.tenant))
    assert "Show that I administer it" in company.chief.client.get("/admin/integration/test/permissions").text
    company.building.simulator.faults(superAdmins=[f"ada@g.{company.domain}"])
    asked = company.chief.call("POST", "/v1/admin/integration/directory", provider="google").json["location"]
    assert asked_scopes(asked) == ["openid", "email", "https://www.googleapis.com/auth/admin.directory.user.readonly"]
    assert "offline" not in asked

    answer = prove(company)

    company.building.simulator.faults(superAdmins=[])
    assert answer.headers["Location"] == "/admin/integration/test/permissions"
    assert "Show that I administer it" not in company.chief.client.get(answer.headers["Location"]).text
    registry = company.building.engine.registry
    assert tenant_of(registry, "google", f"g.{company.domain}") == company.tenant
    assert list(tables.consents(registry).scan(company.tenant)) == asleep, "the permission is kept nowhere"
    assert "integration.directory-joined" in {row.act for _, row in tables.audit(registry).scan(company.tenant)}
    for room, _ in list(tables.rooms(registry).scan(company.tenant)):
        tables.rooms(registry).delete(company.tenant, room)
    assert company.chief.depart("google", f"ada@g.{company.domain}").status_code == 303
    assert [each["code"] for each in company.chief.result()["test"]["troubles"]] == []


@pytest.mark.proves("E32")
def test_directory_of_another_organisation_is_not_joined_by_its_administrator_either(company: Company) -> None:
    to_google(company)
    registry = company.building.engine.registry
    other = introduce(
        registry, company.building.engine.keyring, provider="google", directory=f"g.{company.domain}", name="Other"
    )
    company.building.simulator.faults(superAdmins=[f"ada@g.{company.domain}"])

    answer = prove(company)

    company.building.simulator.faults(superAdmins=[])
    assert (answer.status_code, "directory-taken" in answer.text) == (403, True)
    assert tenant_of(registry, "google", f"g.{company.domain}") == other


@pytest.mark.proves("E32")
def test_confirmed_change_goes_through_the_whole_off_path_and_then_through_the_test(company: Company) -> None:
    asked = company.chief.client.get("/admin/integration/switch?provider=google").text
    company.chief.post("/admin/integration/switch", provider="google", confirmation=confirmation_in(asked))

    row = company.building.row(company.tenant)
    assert (row.integration, row.provider, row.directory) == (IntegrationState.TESTING, "google", "")
    assert row.sleep_until_ms > 0, "the off path was gone through"
    assert not any(row.paired for _, row in tables.rooms(company.building.engine.registry).scan(company.tenant))

    join(company.building.engine.registry, company.tenant, provider="google", directory=f"g.{company.domain}")
    for room, _ in list(tables.rooms(company.building.engine.registry).scan(company.tenant)):
        tables.rooms(company.building.engine.registry).delete(company.tenant, room)
    answer = company.chief.depart("google", f"ada@g.{company.domain}")
    assert answer.headers["Location"] == "/admin/integration/test/result"
    found = company.chief.result()

    assert found["test"]["troubles"] == []
    row = company.building.row(company.tenant)
    assert (row.integration, row.provider, row.directory) == (IntegrationState.ENABLED, "google", f"g.{company.domain}")
    assert list(tables.consents(company.building.engine.registry).scan(company.tenant)) == [], "nobody was woken"
    again = company.building.signed_in(f"ada@g.{company.domain}", "google")
    assert again.integration["mayChange"], "their account at the other provider has the same rights"
    late = company.building.browser().follow(f"/auth/login?provider=microsoft&login_hint=ben@{company.domain}")
    assert late.status_code == 403
    assert "other-calendar" in late.text


@pytest.mark.proves("E32")
def test_change_that_cannot_go_on_to_its_test_switches_nothing_off(company: Company) -> None:
    """The test that has just enabled it is still pairing the rooms."""
    deps, now_ms = company.building.deps, company.building.deps.clock.now_ms()
    pairing = msgspec.structs.replace(a_run(company, "microsoft"), step=Step.ENABLE, beat_at_ms=now_ms)
    Runs(deps).place(company.tenant, lambda _: pairing)
    asked = company.chief.client.get("/admin/integration/switch?provider=google").text

    answer = company.chief.post("/admin/integration/switch", provider="google", confirmation=confirmation_in(asked))

    assert (answer.status_code, "test-under-way" in answer.text) == (409, True)
    assert company.state is IntegrationState.ENABLED


@pytest.mark.proves("E32")
def test_concurrent_acts_never_leave_two_enabled(company: Company) -> None:
    """Two tests that pass at once, and an administrator who changes their mind meanwhile: the row names one, or none."""
    building, tenant = company.building, company.tenant
    table = tables.tenants(building.engine.registry)
    for _ in range(12):
        table.change(
            tenant,
            "tenant",
            lambda row: (
                msgspec.structs.replace(row, integration=IntegrationState.TESTING, provider="google") if row else None
            ),
        )
        runs = {name: a_run(company, name) for name in ("microsoft", "google")}
        won: list[str] = []

        def try_it(name: str, runs: dict[str, TestRun] = runs, won: list[str] = won) -> None:
            try:
                if enable(building.deps, tenant, runs[name]):
                    won.append(name)
            except RefusedError:
                pass

        def toggle() -> None:
            flow = building.app.extensions["test-flow"]
            with contextlib.suppress(ProblemError, RefusedError):
                flow.begin(a_person(company), Provider.MICROSOFT)

        threads = [threading.Thread(target=try_it, args=(name,)) for name in runs] + [threading.Thread(target=toggle)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        row = building.row(tenant)
        assert len(won) <= 1
        if row.integration is IntegrationState.ENABLED:
            assert won == [row.provider]
            assert row.directory == runs[row.provider].directory


def a_run(company: Company, provider: str) -> TestRun:
    return TestRun(
        id=f"run-{provider}",
        user=company.chief.user,
        provider=provider,
        stage=Stage.RUNNING,
        began_at_ms=0,
        beat_at_ms=0,
        directory=f"directory-of-{provider}",
        tester=company.chief.user,
    )


def a_person(company: Company) -> Person:
    chief = company.chief
    return Person(chief.tenant, chief.user, Mailbox(chief.tenant, "m-x"), "microsoft", chief.csrf, "s", ())


def confirmation_in(page: str) -> str:
    found = re.search(r'name="confirmation" value="(\w+)"', page)
    assert found is not None, page
    return found.group(1)


@pytest.mark.parametrize("key", ["data", "consent"])
def test_administrator_is_let_in_in_the_moment_when_a_key_is_gone_and_the_next_not_made(
    company: Company, key: str
) -> None:
    ring = company.building.engine.keyring
    company.chief.call("POST", "/v1/admin/integration/off")
    (ring.destroy_data if key == "data" else ring.destroy_consent)(company.tenant)

    again = company.building.signed_in(f"ada@{company.domain}", "microsoft")

    assert again.call("GET", "/v1/admin/integration").status_code == 200
    assert company.building.engine.keyring.consent_key(company.tenant)
