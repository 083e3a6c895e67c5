"""The integration, its test and the consent for everybody, in each language: a marked language finds what nobody translated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.portal.admin.integration.testflow.deciding.run import note_lateness
from services.portal.admin.integration.testflow.deciding.step_notes import NEEDS_WRITES, ROOMS_SEEN
from services.portal.admin.integration.testflow.deciding.troubles import TROUBLES
from shared.contracts.rows import ConsentState, IntegrationState, TenantConsentRow
from shared.contracts.test_run import Stage, Step, TestRun, Trouble
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.roles import Role
from shared.organisations.enrolment import join
from shared.registry import tables
from tests.integration.services.portal.admin.rooms.test_rooms import switch
from tests.integration.services.portal.admin.test_in_each_language import MARKED, answered, shown
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.marked_words import untranslated

pytestmark = pytest.mark.proves("P3")
TEST = tuple(f"/admin/integration/test{page}" for page in ("", "/permissions", "/result"))
STEPS = dict.fromkeys(Step, 1_700_000_000_000)


@pytest.fixture(params=["on", "off"])
def office(tmp_path: Path, simulator: Simulator, request: pytest.FixtureRequest) -> Iterator[Office]:
    """It writes, or only observes."""
    with an_office(tmp_path / "home", simulator, writes=request.param) as found:
        yield found


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Ada, who may do everything."""
    may(office, ada, *Role)
    tables.tenants(office.engine.registry).change(
        ada.tenant, "tenant", lambda row: msgspec.structs.replace(row, name="Contoso") if row else None
    )
    switch(office, ada.tenant, IntegrationState.OFF)
    return ada


def may(office: Office, browser: Browser, *roles: Role) -> None:
    tables.users(office.engine.registry).change(
        browser.tenant, browser.user, lambda row: msgspec.structs.replace(row, roles=roles) if row else None
    )


def run(office: Office, browser: Browser, provider: str, stage: Stage, **more: Any) -> None:
    """Put the organisation's latest run of the test where it stands."""
    now_ms = office.clock.now_ms()
    latest = TestRun(
        id="run-1", user=browser.user, provider=provider, stage=stage, began_at_ms=now_ms, beat_at_ms=now_ms, **more
    )
    tables.test_runs(office.engine.registry).put(browser.tenant, "run", latest)


def at(office: Office, browser: Browser, state: IntegrationState, provider: str, **more: Any) -> None:
    """Put the integration where it stands."""
    tables.tenants(office.engine.registry).change(
        browser.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=state, provider=provider, **more) if row else None,
    )


@pytest.mark.parametrize("provider", list(Provider))
def test_the_integration_and_its_test_have_no_sentence_that_is_not_translated(
    office: Office, chief: Browser, provider: str
) -> None:
    """Each state, every stage of a test, every trouble, every note; without a room and with one."""
    pages = ("/admin/integration", "/admin/integration/consent", "/admin/integration/help")
    assert shown(chief, *pages) == {}
    assert answered(chief, "/admin/integration/test", provider="none") == []
    chief.client.post("/admin/integration/test", data={"csrf": chief.csrf, "provider": provider})
    assert shown(chief, *pages, *TEST) == {}
    for stage in (Stage.SENT, Stage.RUNNING):
        run(office, chief, provider, stage, step=Step.ROOM, passed={Step.CONSENT: 1, Step.READ: 2})
        assert shown(chief, *pages, *TEST) == {}
    assert answered(chief, "/admin/integration/test", provider=provider) == []
    office.enter_rooms(chief.tenant, "one")
    at(office, chief, IntegrationState.FAILED, provider)
    troubles = tuple(
        Trouble(step=list(Step)[number % 8], code=code, at_ms=1, provider_code="AADSTS1" if number % 2 else "")
        for number, code in enumerate([*TROUBLES, "odd"])
    )
    notes = {
        Step.ROOM: str(ROOMS_SEEN.format(seen=2, asked=3)),
        Step.PUSH: note_lateness(120, 60),
        Step.ANSWER: "tentative",
        Step.CLEAN_UP: str(NEEDS_WRITES),
    }
    for found in (troubles, troubles[:1]):
        run(office, chief, provider, Stage.FAILED, troubles=found, notes=notes, passed=STEPS, made=(b"x",))
        assert shown(chief, *pages, TEST[-1]) == {}
    for answer in ("accepted", "declined"):
        run(office, chief, provider, Stage.PASSED, passed=STEPS, notes={Step.ANSWER: answer}, made=(b"x",))
        assert shown(chief, "/admin/integration", TEST[-1]) == {}
    office.clock.advance(MINUTE_MS)
    run(office, chief, provider, Stage.RUNNING, step=Step.PUSH)
    office.clock.advance(MINUTE_MS)
    assert shown(chief, *pages, *TEST) == {}
    may(office, chief, Role.BUILDING_ADMIN)
    assert shown(chief, *pages, *TEST) == {}


def test_what_programs_read_of_a_test_is_translated(office: Office, chief: Browser) -> None:
    at(office, chief, IntegrationState.FAILED, "google")
    trouble = Trouble(step=Step.ROOM, code="room-silent", at_ms=1)
    run(office, chief, "google", Stage.FAILED, troubles=(trouble,), notes={Step.ANSWER: "declined"})
    answer = chief.client.get("/v1/admin/integration", **MARKED).json
    [shown_trouble] = answer["test"]["troubles"]
    said = [answer["words"], answer["advice"], *(shown_trouble[name] for name in ("meaning", "next", "stepWords"))]
    said += [step["words"] for step in answer["test"]["steps"]]
    said += [step["note"] for step in answer["test"]["steps"] if step["note"]]
    said += [
        each["words"] for known in answer["providers"] for asked in known["permissions"].values() for each in asked
    ]
    assert [each for each in said if not each.startswith("⟦")] == []
    assert answer["test"]["diagnosis"].startswith("roomsync test of the integration")


@pytest.mark.parametrize("provider", list(Provider))
def test_switching_off_and_on_has_no_sentence_that_is_not_translated(
    office: Office, chief: Browser, provider: Provider
) -> None:
    """Permissions that end soon and that sleep; what would follow, for one and for many; and what is refused."""
    registry, now_ms = office.engine.registry, office.clock.now_ms()
    other = next(each for each in Provider if each is not provider)
    at(office, chief, IntegrationState.ENABLED, provider)
    tables.consents(registry).change(
        chief.tenant,
        chief.mailbox,
        lambda row: (
            msgspec.structs.replace(row, state=ConsentState.ACTIVE, provider=provider, ends_at_ms=now_ms + DAY_MS)
            if row
            else None
        ),
    )
    off = ("/admin/integration/off", f"/admin/integration/switch?provider={other}")
    assert 'id="ending"' in chief.client.get("/admin/integration").text
    assert shown(chief, "/admin/integration", *off) == {}
    office.enter_rooms(chief.tenant, "one", "two")
    assert shown(chief, *off) == {}
    assert answered(chief, "/admin/integration/off") == []
    assert answered(chief, "/admin/integration/switch", provider=other) == []
    assert answered(chief, "/admin/integration/test", provider=provider) == []
    unconfirmed = chief.post("/v1/admin/integration/off", **{"Accept-Language": MARKED["headers"]["Accept-Language"]})
    assert (unconfirmed.json["title"][0], unconfirmed.json["next"][0]) == ("⟦", "⟦")
    assert answered(chief, "/admin/integration/contact", contact="x" * 300) == []
    assert answered(chief, "/admin/integration/test/give-up") == []
    assert answered(chief, "/admin/integration/test/reported", code="AADSTS65004") == []
    chief.post("/v1/admin/integration/off", chief.client.get("/v1/admin/integration/off").json)
    assert shown(chief, "/admin/integration") == {}
    assert 'id="state"' in chief.client.get("/admin/integration").text
    again = chief.post("/v1/admin/integration/off", **{"Accept-Language": MARKED["headers"]["Accept-Language"]})
    assert (again.json["title"][0], again.json["next"][0]) == ("⟦", "⟦")


def test_directories_and_consent_have_no_sentence_that_is_not_translated(office: Office, chief: Browser) -> None:
    """A consent for another directory that leaves things out; further domains, adding them, and giving one up."""
    registry, now_ms = office.engine.registry, office.clock.now_ms()
    for scopes in ((), ("Calendars.Read",)):
        tables.tenant_consents(registry).put(
            chief.tenant, "microsoft", TenantConsentRow(directory="d-1", at_ms=now_ms, scopes=scopes)
        )
        assert shown(chief, "/admin/integration", "/admin/integration/consent") == {}
    for number in range(2):
        assert join(registry, chief.tenant, provider="google", directory=f"d{number}.test")
        assert shown(chief, "/admin/integration") == {}
    leave = "/admin/integration/domains/leave"
    assert (
        shown(chief, f"{leave}?provider=google&directory=d1.test", f"{leave}?provider=google&directory=no.test") == {}
    )
    assert answered(chief, leave, provider="google", directory="d1.test") == []
    assert answered(chief, leave, provider="microsoft", directory="none") == []
    assert answered(chief, "/admin/integration/domains", provider="google") == []
    assert answered(chief, "/admin/integration/directory", provider="google") == []
    run(office, chief, "google", Stage.CHOSEN)
    at(office, chief, IntegrationState.TESTING, "google")
    assert answered(chief, "/admin/integration/test/depart", provider="google") == []
    assert untranslated(chief.client.get("/admin/integration/test/permissions", **MARKED).text) == []
    at(office, chief, IntegrationState.ENABLED, "google")
    assert answered(chief, "/admin/rooms/import") == []
