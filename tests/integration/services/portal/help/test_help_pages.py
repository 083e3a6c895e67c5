"""Who one is, and the pages about the service: for anybody, in every look, and with the numbers that the code goes by."""

from __future__ import annotations

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium

from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office

PATHS = ("/help", "/help/contact", "/help/privacy", "/help/terms")
LOOKS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]


@pytest.mark.proves("P2")
def test_pages_about_the_service_are_for_anybody_and_lead_to_each_other(office: Office, ada: Browser) -> None:
    for browser in (office.browser(), ada):
        for path in PATHS:
            answer = browser.client.get(path)
            assert answer.status_code == 200, path
            assert all(f'href="{other}"' in answer.text for other in PATHS)
    assert all(f'href="{path}"' in office.browser().client.get("/auth/login").text for path in PATHS)


@pytest.mark.proves("P2")
def test_help_says_what_pending_means_and_privacy_how_long_things_are_kept(office: Office) -> None:
    stranger = office.browser().client
    assert "Pending: the room has not answered yet." in stranger.get("/help").text
    privacy = stranger.get("/help/privacy").text
    assert "12 hours after their last use, 7 days at the most" in privacy
    assert "Permissions wait for 5 days" in privacy
    assert "That you put a prompt away: 400 days after the meeting" in privacy


@pytest.mark.proves("P2")
def test_header_and_profile_say_who_is_signed_in_to_that_person_alone(
    office: Office, ada: Browser, ben: Browser, domain: str
) -> None:
    for path in ("/", "/profile", "/help"):
        page = ada.client.get(path).text
        assert f"ada@{domain}" in page
        assert f"ben@{domain}" not in page
    assert f"ben@{domain}" in ben.client.get("/profile").text
    assert domain not in office.browser().client.get("/help").text


def test_contact_is_the_one_that_the_organisation_names_and_for_its_people(office: Office, ada: Browser) -> None:
    assert "has not said whom to ask" in ada.client.get("/help/contact").text
    tables.tenants(office.engine.registry).change(
        ada.tenant, "tenant", lambda row: msgspec.structs.replace(row, contact="Facilities, room 4") if row else None
    )
    assert "Facilities, room 4" in ada.client.get("/help/contact").text
    stranger = office.browser().client.get("/help/contact").text
    assert "Facilities" not in stranger
    assert '<a href="mailto:security@roomsync.example">security@roomsync.example</a>' in stranger


@pytest.mark.browser
@pytest.mark.proves("P2", "S5")
def test_pages_have_no_barrier_in_any_look(ada: Browser, chromium: Chromium, address: str) -> None:
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    for width, scheme in LOOKS:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])
        page = context.new_page()
        for path in (*PATHS, "/profile"):
            page.goto(f"{address}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert Axe().run(page).response["violations"] == [], f"{path} {width} {scheme}"
        context.close()
