"""A walk over every state of the administrators' pages; see the walk over those of people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from services.portal.admin.audit.deciding.act_words import ACT_WORDS
from services.portal.admin.integration.testflow.deciding.step_notes import ROOMS_SEEN
from services.portal.admin.integration.testflow.deciding.troubles import TROUBLES
from services.portal.admin.overview.reading import KEPT_MS
from shared.contracts.day_tally import DayTally
from shared.contracts.rows import AuditRow, IntegrationState
from shared.contracts.test_run import Stage, Step, Trouble
from shared.contracts.topics import ROOM_REJECTIONS
from shared.contracts.webhook_rows import WebhookDeliveriesRow, WebhookDelivery, WebhookDeliveryState, deliveries_id
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.roles import Role
from shared.domain.sighting import DirectoryRoom
from shared.organisations import chat_channels, decline_incidents
from shared.organisations.audit_chain import append_act
from shared.organisations.enrolment import join
from shared.organisations.webhooks import note_failure
from shared.registry import tables
from tests.integration.services.portal.admin.integration.test_pages_in_each_language import at, may, run
from tests.integration.services.portal.admin.rooms.test_rooms import begin_import
from tests.integration.services.portal.admin.test_incident import begin
from tests.integration.services.portal.admin.test_report import count
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.integration.services.portal.test_walk import connected_visits
from tests.support.walk import company
from tests.support.walk.visits import Visits

pytestmark = [pytest.mark.browser, pytest.mark.proves("S5", "P3")]
SHEET = "address,name,capacity\nneu@rooms.test,Maßschneiderei,9\nraum1@rooms.test,Großer Saal,2\nbad,Ohne Adresse,x\n"


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """It sends webhooks, and posts to chat; what else it does, a test asks for."""
    settings = {"webhooks": "on", "chat_hosts": "hooks.slack.com", **getattr(request, "param", {})}
    with an_office(tmp_path / "home", simulator, **settings) as found:
        yield found


@pytest.fixture
def visits(office: Office, ada: Browser, chromium: Chromium, address: str) -> Visits:
    """Those of Ada, who may do everything."""
    found = connected_visits(office, ada, chromium, address, "admin")
    may(office, ada, *Role)
    at(office, ada, IntegrationState.ENABLED, "microsoft")
    return found


def test_overview_report_and_incident(office: Office, ada: Browser, visits: Visits) -> None:
    visits.see("overview-empty", "/admin")
    visits.see("report-empty", "/admin/report")
    visits.see("incident-none", "/admin/incident")
    office.clock.advance(KEPT_MS)
    company.fill(office, ada)
    for week in range(8):
        tally = DayTally(
            asked=1200 + week, accepted=1000, declined=90 - 9 * week, noticed=20, noticed_after_ms=20 * 90 * MINUTE_MS,
            meetings=400, roomless=4, unanswered=3, quiet=1,
        )  # fmt: skip
        count(office, ada.tenant, 0, 7 * week, tally)
    visits.see("overview", "/admin")
    visits.see("report", "/admin/report")
    begin(office, ada.tenant)
    visits.see("incident", "/admin/incident")
    decline_incidents.release(office.engine.registry, ada.tenant, office.clock.now_ms())
    visits.see("incident-over", "/admin/incident")
    visits.end()


def test_rooms(office: Office, ada: Browser, visits: Visits) -> None:
    visits.see("rooms-empty", "/admin/rooms")
    visits.see("floor-empty", "/admin/rooms/day")
    rooms = company.fill(office, ada)
    tables.rooms(office.engine.registry).change(
        ada.tenant, rooms[1], lambda row: msgspec.structs.replace(row, resource="entered") if row else None
    )
    tables.rooms(office.engine.registry).change(
        ada.tenant, rooms[2], lambda row: msgspec.structs.replace(row, paired=False) if row else None
    )
    visits.see("rooms", "/admin/rooms")
    visits.see("rooms-found", "/admin/rooms?q=Saal&sort=seats&down=1")
    visits.see("rooms-none-found", "/admin/rooms?q=nichts")
    visits.see("rooms-attention", "/admin/rooms?health=attention")
    visits.see("rooms-done", "/admin/rooms?done=several-unpaired")

    def remove(page: Page) -> None:
        for number in (0, 6, 9):
            page.locator("table [name=room]").nth(number).check()
        page.locator("[formaction='/admin/rooms/selected/remove']").click()

    visits.see("rooms-removal", "/admin/rooms", remove)

    def wrong(page: Page) -> None:
        form = page.locator("form[action='/admin/rooms']").last
        form.locator("[name=address]").fill("raum1@rooms.test")
        form.locator("[name=name]").fill("Noch einmal")
        form.locator("button").click()

    visits.see("rooms-form", "/admin/rooms", wrong)

    def sheet(page: Page) -> None:
        form = page.locator("form[action='/admin/rooms/sheet']")
        form.locator("input[type=file]").set_input_files(
            files=[{"name": "rooms.csv", "mimeType": "text/csv", "buffer": SHEET.encode()}]
        )
        form.locator("button").click()
        expect(page.get_by_role("alert")).to_be_visible()

    visits.see("sheet", "/admin/rooms", sheet)
    tomorrow = company.date_of(office.clock.now_ms() + DAY_MS)
    visits.see("floor", f"/admin/rooms/day?date={tomorrow}")
    for name, number in (("room", 0), ("room-right-to-left", 6), ("room-unconfirmed", 1), ("room-unpaired", 2)):
        visits.see(name, f"/admin/rooms/{rooms[number]}")
    visits.see("room-unknown", "/admin/rooms/none")
    office.calendar.rooms = [
        DirectoryRoom(f"raum{number}@rooms.test", name, 6, "Haus am Rheinufer", "4", directory_id=f"id-{number}")
        for number, name in ((1, company.NAMES[0]), (2, "Großer Sitzungssaal 1"), (77, company.NAMES[7]))
    ]
    visits.see("import", begin_import(office, ada).headers["Location"])
    visits.see("import-unknown", "/admin/rooms/import/none")
    visits.end()


def test_people_audit_webhooks_and_chat(office: Office, ada: Browser, visits: Visits) -> None:
    for name in ("people", "audit", "webhooks", "chat"):
        visits.see(f"{name}-first", f"/admin/{name}")
    long = "theodora-alexandrina.wolkenkratzer-mueller@rheinische-moebelwerke.example"
    ada.post("/v1/admin/people", {"address": long, "role": "building-admin"})
    visits.see("people", "/admin/people")

    def appoint(page: Page) -> None:
        page.locator("#address").fill(long)
        page.locator("form[action='/admin/people'] button").click()

    visits.see("people-wrong", "/admin/people", appoint)
    registry, now_ms = office.engine.registry, office.clock.now_ms()
    for act in ACT_WORDS:
        append_act(registry, ada.tenant, AuditRow(now_ms, ada.user, act, "i-1", "2 joined, 1 of another organisation"))
    visits.see("audit", "/admin/audit")
    visits.see("audit-none-found", "/admin/audit?from=2030-01-01")
    for number in range(3):
        sent = {"csrf": ada.csrf, "url": f"https://hooks.example.test/raeume/der/ganzen/organisation/{number}"}
        ada.client.post("/admin/webhooks", data=sent)
    first, second, third = (each["id"] for each in ada.client.get("/v1/webhooks").json["webhooks"])
    for failing, since_ms in ((second, now_ms), (third, now_ms - 3 * DAY_MS), (third, now_ms)):
        note_failure(registry, ada.tenant, failing, since_ms, gone=False)
    deliveries = tuple(
        WebhookDelivery(
            number=number, event=f"d-{number}", type="roomsync.room.declined.v1", topic=ROOM_REJECTIONS.name, state=state,
            attempts=3, fault="no-answer", at_ms=now_ms, retry_at_ms=now_ms if number else 0,
        )
        for number, state in enumerate(WebhookDeliveryState)
    )  # fmt: skip
    row = WebhookDeliveriesRow(deliveries=deliveries)
    tables.webhook_deliveries(registry).put(ada.tenant, deliveries_id(first, 0, 0), row)
    visits.see("webhooks", "/admin/webhooks")
    visits.see("webhook", f"/admin/webhooks/{first}")

    def unsafe(page: Page) -> None:
        form = page.locator("form[action='/admin/webhooks']")
        form.locator("[name=url]").fill("http://hooks.example.test/x")
        form.locator("button").click()

    visits.see("webhooks-wrong", "/admin/webhooks", unsafe)
    for number in range(2):
        sent = {"product": "slack", "name": "#räume-verwaltung", "url": f"https://hooks.slack.com/services/{number}"}
        assert ada.post("/v1/chat-channels", sent).status_code == 201
    channel = ada.client.get("/v1/chat-channels").json["channels"][0]["id"]
    chat_channels.note_refusal(registry, ada.tenant, channel, now_ms, "404")
    visits.see("chat", "/admin/chat")
    visits.end()


def test_integration(office: Office, ada: Browser, visits: Visits) -> None:
    office.enter_rooms(ada.tenant, "Besprechungsraum Donaudampfschifffahrt")
    for number in range(2):
        join(office.engine.registry, ada.tenant, provider="google", directory=f"d{number}.example.test")
    visits.see("integration", "/admin/integration")
    for page in ("off", "switch?provider=google", "consent", "help"):
        visits.see(f"integration-{page.partition('?')[0]}", f"/admin/integration/{page}")
    leave = "/admin/integration/domains/leave?provider=google&directory="
    visits.see("domain-leave", f"{leave}d1.example.test")
    visits.see("domain-left", f"{leave}none.example.test")
    at(office, ada, IntegrationState.OFF, "")
    visits.see("integration-first", "/admin/integration")
    at(office, ada, IntegrationState.TESTING, "google")
    run(office, ada, "google", Stage.SENT)
    for page in ("", "/permissions"):
        visits.see(f"test{page.replace('/', '-')}", f"/admin/integration/test{page}")
    run(office, ada, "google", Stage.RUNNING, step=Step.ROOM, passed={Step.CONSENT: 1, Step.READ: 2})
    visits.see("test-running", "/admin/integration/test/result", keyboard=False)
    at(office, ada, IntegrationState.FAILED, "google")
    troubles = tuple(Trouble(step=Step.SUBSCRIBE, code=code, at_ms=1, provider_code="x") for code in TROUBLES)
    notes = {Step.ROOM: str(ROOMS_SEEN.format(seen=2, asked=3))}
    run(office, ada, "google", Stage.FAILED, troubles=troubles[:1], notes=notes, passed=dict.fromkeys(Step, 1))
    visits.see("integration-failed", "/admin/integration")
    visits.see("test-failed", "/admin/integration/test/result")
    run(office, ada, "google", Stage.FAILED, troubles=troubles, notes=notes, passed=dict.fromkeys(Step, 1))
    visits.see("test-failed-all", "/admin/integration/test/result")
    at(office, ada, IntegrationState.ENABLED, "google")
    run(office, ada, "google", Stage.PASSED, passed=dict.fromkeys(Step, 1_700_000_000_000), notes=notes)
    visits.see("test-passed", "/admin/integration/test/result")
    may(office, ada, Role.BUILDING_ADMIN)
    visits.see("integration-may-not", "/admin/integration")
    visits.see("forbidden", "/admin/people")
    visits.end()


@pytest.mark.parametrize("office", [{"writes": "off"}], indirect=True)
def test_where_the_service_only_observes(office: Office, ada: Browser, visits: Visits) -> None:
    office.enter_rooms(ada.tenant, "Besprechungsraum Donaudampfschifffahrt")
    visits.see("observing-report", "/admin/report")
    visits.see("observing-integration", "/admin/integration")
    visits.see("observing-consent", "/admin/integration/consent")
    at(office, ada, IntegrationState.TESTING, "google")
    run(office, ada, "google", Stage.SENT)
    for page in ("", "/permissions"):
        visits.see(f"observing-test{page.replace('/', '-')}", f"/admin/integration/test{page}")
    run(office, ada, "google", Stage.RUNNING, step=Step.ROOM, passed={Step.CONSENT: 1, Step.READ: 2})
    visits.see("observing-test-running", "/admin/integration/test/result", keyboard=False)
    at(office, ada, IntegrationState.ENABLED, "google")
    run(office, ada, "google", Stage.PASSED, passed=dict.fromkeys(Step, 1_700_000_000_000))
    visits.see("observing-test-passed", "/admin/integration/test/result")
    visits.end()
