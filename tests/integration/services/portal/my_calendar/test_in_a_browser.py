"""The profile and the welcome in Debian's Chromium: usable by everybody, at both widths, and the switch really leads away."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from shared.domain.identity import Mailbox
from shared.grants import sleep
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.my_calendar.test_profile import identified
from tests.integration.services.portal.office import Office

pytestmark = pytest.mark.browser


@pytest.mark.proves("S1", "S2", "S5")
@pytest.mark.parametrize("width", [390, 1280])
def test_welcome_leads_to_the_provider_and_the_profile_back_off_again(
    office: Office, domain: str, chromium: Chromium, width: int
) -> None:
    faults: list[str] = []
    with opened(office, domain, chromium, width) as (page, tenant):
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        check(page, "welcome", width)
        page.get_by_role("button", name="Connect calendar").click()
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("Connecting")
        check(page, "profile-connecting", width)
        page.get_by_role("switch").click()
        expect(page.locator(".badge")).to_contain_text("Disconnecting")
        office.deps.broker.forget(mailboxes(office, tenant)[0])
        expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")  # the page follows by itself
        check(page, "profile-off", width)
    assert faults == []


@pytest.mark.proves("S2")
@pytest.mark.parametrize(("path", "asked"), [("/profile", "**/v1/me/calendar"), ("/", "**/v1/me")])
def test_page_that_follows_the_connection_lets_a_person_go_who_has_clicked_a_link(
    office: Office, domain: str, chromium: Chromium, path: str, asked: str
) -> None:
    answered = threading.Event()
    with opened(office, domain, chromium, 1280, answered) as (page, tenant):
        page.get_by_role("button", name="Connect calendar").click()
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()
        page.get_by_role("link", name={"/profile": "Profile", "/": "My rooms"}[path], exact=True).click()
        page.wait_for_load_state()
        page.get_by_role("link", name="My day", exact=True).click(no_wait_after=True)
        office.deps.broker.forget(mailboxes(office, tenant)[0])
        for _ in range(2):  # the first answer may have been on its way before
            with page.expect_response(asked):
                pass
        answered.set()
        expect(page.get_by_role("heading", name="My day")).to_be_visible()


@contextlib.contextmanager
def opened(
    office: Office, domain: str, chromium: Chromium, width: int, answered: threading.Event | None = None
) -> Iterator[tuple[Page, str]]:
    """The first page that Ada sees once she is signed in, and her organisation. "My day" is answered when the event is set."""

    def app(environ: Any, start_response: Any) -> Any:
        if answered and environ["PATH_INFO"] == "/day":
            answered.wait()
        return office.app(environ, start_response)

    server = serve_in_background(app, "portal", threads=8, ready=False)
    ada = identified(office, f"ada@{domain}")
    context = chromium.new_context(locale="en-GB", viewport={"width": width, "height": 800})
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": server.url}])
    page = context.new_page()
    try:
        page.goto(server.url)
        yield page, ada.tenant
    finally:
        if answered:
            answered.set()
        context.close()
        office.deps.stop.set()
        server.close()


def mailboxes(office: Office, tenant: str) -> list[Mailbox]:
    return [mailbox for mailbox, _ in sleep.people(office.engine.registry, tenant)]


def check(page: Page, name: str, width: int) -> None:
    """No fault of accessibility, nothing wider than the window; kept as a picture where somebody asked for it."""
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    kept = os.environ.get("PICTURES")
    if kept:
        page.screenshot(path=Path(kept) / f"{name}-{width}.png", full_page=True)
