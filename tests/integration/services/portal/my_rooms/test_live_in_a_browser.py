"""My rooms in Chromium, when it is not as it should be: titles that come late, and a page that is live no longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState, TakeRow, TakeState
from shared.domain.sighting import Access, LiveMeeting
from shared.registry import tables
from shared.runtime.serving import BackgroundServer, serve_in_background
from tests.integration.services.portal.office import TITLE, Browser, Office
from tests.support.patience import PATIENCE_S

pytestmark = [pytest.mark.browser, pytest.mark.proves("P1")]


@pytest.fixture
def server(office: Office) -> Iterator[BackgroundServer]:
    found = serve_in_background(office.app, "portal", threads=8, ready=False)
    yield found
    office.deps.stop.set()
    found.close()


@pytest.fixture
def page(office: Office, chromium: Chromium, ada: Browser, server: BackgroundServer) -> Iterator[Page]:
    """Ada's page with one meeting; a page that fails to load something is what these tests are about."""
    [room] = office.enter_rooms(ada.tenant, "one")
    office.show(office.meeting(ada, office.room(ada, room, RoomState.PENDING)), ada.tenant)
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Zurich")
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": server.url}])
    shown = context.new_page()
    faults: list[str] = []
    shown.on("pageerror", lambda error: faults.append(str(error)))
    yield shown
    context.close()
    assert faults == []


@pytest.fixture
def titles_readable(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, whoever reads a title waits."""
    readable, read = threading.Event(), office.calendar.read

    def slow(access: Access, event_id: str) -> LiveMeeting:
        assert readable.wait(PATIENCE_S)
        return read(access, event_id)

    monkeypatch.setattr(office.calendar, "read", slow)
    yield readable
    readable.set()


def test_title_that_comes_late_is_filled_in(
    page: Page, server: BackgroundServer, titles_readable: threading.Event
) -> None:
    page.goto(server.url)
    title = page.locator("#meetings [data-title]")
    expect(title).to_have_text("Reading the title …")
    assert Axe().run(page).response["violations"] == []
    titles_readable.set()
    expect(title).to_have_text(TITLE)
    expect(page.locator(".loading")).to_have_count(0)


def test_outcome_that_came_before_its_title_names_the_meeting_as_soon_as_it_is_read(
    office: Office, ada: Browser, page: Page, server: BackgroundServer, titles_readable: threading.Event
) -> None:
    one, two = office.enter_rooms(ada.tenant, "one", "two")
    declined = office.room(ada, one, RoomState.DECLINED)
    asked = office.room(ada, two, RoomState.PENDING, asked_at_ms=office.clock.now_ms())
    office.show(office.meeting(ada, declined, asked), ada.tenant)
    take = TakeRow(
        user=ada.user, prompt=declined.decline_id, room=two, state=TakeState.DONE, at_ms=office.clock.now_ms()
    )
    tables.takes(office.engine.registry).put(ada.tenant, "k-taken", take)
    page.goto(server.url)
    outcome = page.locator("#outcomes .outcome")
    expect(outcome).to_have_count(1)
    expect(outcome).not_to_contain_text(TITLE)
    titles_readable.set()
    expect(outcome).to_contain_text(f"has been asked for {TITLE}. It is pending")


def test_page_that_is_signed_out_elsewhere_says_so_at_the_top(
    ada: Browser, page: Page, server: BackgroundServer
) -> None:
    page.goto(server.url)
    expect(page.locator("#connection.connected, #connection.connecting, #connection.first-sync")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    ada.post("/auth/logout")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    expect(page.locator("#connection")).to_be_hidden()
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_url("**/auth/login?next=%2F")


def test_page_whose_organisation_switched_off_says_so_at_the_top(
    office: Office, ada: Browser, page: Page, server: BackgroundServer
) -> None:
    page.goto(server.url)
    expect(page.locator("#meetings .badge")).to_be_visible()
    tables.tenants(office.engine.registry).change(
        ada.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=IntegrationState.DISABLED) if row else None,
    )
    expect(page.get_by_role("alert")).to_contain_text("This is not switched on for your organisation.")


def test_page_that_is_cut_off_says_so_and_recovers(page: Page, server: BackgroundServer) -> None:
    page.goto(server.url)
    expect(page.locator("#meetings .badge")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("cannot reach roomsync")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#connection")).to_be_visible()


def test_page_whose_stream_falls_silent_finds_out(page: Page, server: BackgroundServer) -> None:
    page.add_init_script("window.EventSource = class { addEventListener() {} close() {} };")
    page.clock.install()
    page.goto(server.url)
    expect(page.locator("#meetings .badge")).to_be_visible()
    page.route("**/v1/me", lambda route: route.abort())
    page.clock.run_for(30_000)
    expect(page.get_by_role("alert")).to_contain_text("cannot reach roomsync")
