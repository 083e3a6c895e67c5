"""The profile and the welcome in Debian's Chromium: usable by everybody, at both widths, and the switch really leads away."""

from __future__ import annotations

import os
from pathlib import Path

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
    server = serve_in_background(office.app, "portal", threads=8, ready=False)
    ada = identified(office, f"ada@{domain}")
    context = chromium.new_context(locale="en-GB", viewport={"width": width, "height": 800})
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": server.url}])
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    try:
        page.goto(server.url)
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        check(page, "welcome", width)
        page.get_by_role("button", name="Connect calendar").click()
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("Connecting")
        check(page, "profile-connecting", width)
        page.get_by_role("switch").click()
        expect(page.locator(".badge")).to_contain_text("Disconnecting")
        office.deps.broker.forget(next(iter(mailboxes(office, ada.tenant))))
        page.goto(f"{server.url}/profile")
        expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
        check(page, "profile-off", width)
    finally:
        context.close()
        office.deps.stop.set()
        server.close()
    assert faults == []


def mailboxes(office: Office, tenant: str) -> list[Mailbox]:
    return [mailbox for mailbox, _ in sleep.people(office.engine.registry, tenant)]


def check(page: Page, name: str, width: int) -> None:
    """No fault of accessibility, nothing wider than the window; kept as a picture where somebody asked for it."""
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    kept = os.environ.get("PICTURES")
    if kept:
        page.screenshot(path=Path(kept) / f"{name}-{width}.png", full_page=True)
