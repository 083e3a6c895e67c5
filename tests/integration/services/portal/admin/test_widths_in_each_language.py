"""Administrators' pages in German, French and Dutch in Chromium: the longest words fit a narrow telephone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium

from services.portal.admin.audit.deciding.act_words import ACT_WORDS
from services.portal.admin.integration.testflow.deciding.step_notes import ROOMS_SEEN
from services.portal.admin.integration.testflow.deciding.troubles import TROUBLES
from shared.contracts.day_tally import DayTally
from shared.contracts.rows import AuditRow, IntegrationState
from shared.contracts.test_run import Stage, Step, Trouble
from shared.domain.roles import Role
from shared.organisations.audit_chain import append_act
from shared.organisations.enrolment import join
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.admin.integration.test_pages_in_each_language import at, may, run
from tests.integration.services.portal.admin.test_incident import begin
from tests.integration.services.portal.admin.test_report import count
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office

pytestmark = [pytest.mark.browser, pytest.mark.proves("P3")]
WIDTH = 360


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """It sends webhooks, and posts to chat."""
    with an_office(tmp_path / "home", simulator, webhooks="on", chat_hosts="hooks.slack.com") as found:
        yield found


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Ada, who may do everything, in an organisation that has something on every page."""
    may(office, ada, *Role)
    registry = office.engine.registry
    office.enter_rooms(ada.tenant, "Besprechungsraum Donaudampfschifffahrt", "two")
    for number, act in enumerate(ACT_WORDS):
        append_act(registry, ada.tenant, AuditRow(number, ada.user, act, "i-1", "2 joined, 1 of another organisation"))
    count(office, ada.tenant, 0, 1, DayTally(asked=5000, accepted=2, declined=3, noticed=2, meetings=4, unanswered=2))
    for number in range(2):
        join(registry, ada.tenant, provider="google", directory=f"d{number}.example.test")
    at(office, ada, IntegrationState.ENABLED, "microsoft")
    ada.post("/v1/webhooks", {"url": "https://hooks.example.test/rooms/of/the/whole/organisation"})
    chat = {"product": "slack", "name": "#rooms", "url": "https://hooks.slack.com/services/x"}
    assert ada.post("/v1/chat-channels", chat).status_code == 201
    begin(office, ada.tenant)
    return ada


def test_every_page_fits_a_narrow_telephone_in_each_language(
    office: Office, chief: Browser, chromium: Chromium
) -> None:
    [webhook] = (each["id"] for each in chief.client.get("/v1/webhooks").json["webhooks"])
    enabled = (
        "integration", "integration/off", "integration/switch?provider=google", "integration/consent", "integration/help",
        "integration/domains/leave?provider=google&directory=d0.example.test", "audit", "report", "incident", "webhooks",
        f"webhooks/{webhook}", "chat",
    )  # fmt: skip
    too_wide(office, chief, chromium, *enabled)
    at(office, chief, IntegrationState.FAILED, "google")
    troubles = tuple(Trouble(step=Step.SUBSCRIBE, code=code, at_ms=1, provider_code="x") for code in TROUBLES)
    notes = {Step.ROOM: str(ROOMS_SEEN.format(seen=2, asked=3))}
    run(office, chief, "google", Stage.FAILED, troubles=troubles, notes=notes, passed=dict.fromkeys(Step, 1))
    too_wide(office, chief, chromium, "integration", "integration/test/result")
    at(office, chief, IntegrationState.TESTING, "google")
    run(office, chief, "google", Stage.SENT)
    too_wide(office, chief, chromium, "integration", "integration/test", "integration/test/permissions")


def too_wide(office: Office, chief: Browser, chromium: Chromium, *pages: str) -> None:
    """Fails if one of the pages is wider than the telephone in one of the languages."""
    server = serve_in_background(office.app, "portal", threads=4, ready=False)
    cookie = chief.client.get_cookie("roomsync_session")
    assert cookie is not None
    found = []
    for language in ("de", "fr", "nl"):
        context = chromium.new_context(locale=language, viewport={"width": WIDTH, "height": 800})
        context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": server.url}])
        page = context.new_page()
        for path in pages:
            page.goto(f"{server.url}/admin/{path}")
            assert page.evaluate("document.documentElement.lang") == language, path
            width = page.evaluate("document.documentElement.scrollWidth")
            found += [(language, path, width)] if width > WIDTH else []
        context.close()
    server.close()
    assert found == []
