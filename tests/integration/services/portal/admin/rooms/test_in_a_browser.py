"""What an import would do, and the questions before what cannot be undone, in Chromium: with long names, by day and by night."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect

from shared.contracts.rows import IntegrationState
from shared.domain.roles import Role
from shared.domain.sighting import DirectoryRoom
from shared.registry import tables
from tests.integration.services.portal.admin.rooms.test_rooms import begin_import, import_directory, listed, switch
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.browser

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsbesprechungsraum"
HEBREW = "חדר ישיבות צפוני 4"
SIZES = (360, 1280)
SHEET = f"address,name,capacity\nlong@rooms.example,{LONG},9\nnew@rooms.example,{HEBREW},2\nbad,Room two,x\n"


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Somebody who may do everything, in an organisation that is switched on."""
    tables.users(office.engine.registry).change(
        ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=tuple(Role)) if row else None
    )
    switch(office, ada.tenant, IntegrationState.ENABLED)
    return ada


@pytest.fixture
def context(chief: Browser, address: str, chromium: Chromium) -> Iterator[BrowserContext]:
    found = chromium.new_context(locale="de-CH", timezone_id="Europe/Zurich")
    cookie = chief.client.get_cookie("roomsync_session")
    assert cookie is not None
    found.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])
    yield found
    found.close()


def a_room(key: str, **more: Any) -> DirectoryRoom:
    found = DirectoryRoom(f"{key}@rooms.example", key.title(), 6, "Riverside", "4", directory_id=f"id-{key}")
    return dataclasses.replace(found, **more)


def preview(office: Office, browser: Browser, domain: str) -> str:
    """An import that would enter, change and leave rooms, with names that are hard to show. Where its page is."""
    office.calendar.rooms = [a_room("long", name=LONG), a_room("hebrew", name=HEBREW), a_room("gone", name=f"{LONG} 2")]
    import_directory(office, browser, domain)
    office.calendar.rooms = [
        a_room(
            "long", name=LONG, capacity=12, equipment=("Videokonferenzanlage", "Screen"), description=f"{LONG}. " * 3
        ),
        a_room("hebrew", name=f"{HEBREW} {HEBREW}", section="Ost"),
        a_room("new", name=LONG[::-1], building=LONG, accessible=True),
    ]
    where: str = begin_import(office, browser).headers["Location"]
    return where


def check(page: Page, name: str) -> None:
    """Whatever can be opened is open; the page fits, and nothing in it is a barrier, by day and by night."""
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for width in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found = Axe().run(page)
            assert found.violations_count == 0, (name, width, scheme, found.generate_report())


@pytest.mark.proves("P7", "S5")
def test_what_an_import_would_do_is_shown_without_a_barrier_also_when_the_list_has_changed_since(
    office: Office, chief: Browser, context: BrowserContext, address: str, domain: str
) -> None:
    where = preview(office, chief, domain)
    page = context.new_page()
    page.goto(f"{address}{where}")
    expect(page.locator("h2")).to_have_count(3)
    check(page, "preview")

    [changed] = [each["id"] for each in listed(chief) if each["name"] == LONG]
    tables.rooms(office.engine.registry).change(
        chief.tenant, changed, lambda row: msgspec.structs.replace(row, capacity=7) if row else None
    )
    page.locator(f"form[action='{where}'] button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "stale preview")
    page.locator(f"form[action='{where}'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    check(page, "rooms")


@pytest.mark.proves("P7", "S5")
def test_questions_before_what_cannot_be_undone_are_no_barrier(
    office: Office, chief: Browser, context: BrowserContext, address: str, domain: str
) -> None:
    preview(office, chief, domain)
    chief.post("/v1/admin/people", {"address": f"{LONG}@example.test".lower(), "role": "building-admin"})
    [room] = [each["id"] for each in listed(chief) if each["name"] == LONG]
    page = context.new_page()
    page.goto(f"{address}/admin/rooms/{room}")
    check(page, "room")
    page.locator("form[action='/admin/rooms/selected/remove'] button").click()
    expect(page.locator("button.grave")).to_be_visible()
    check(page, "removal")
    for path in ("/admin/people", "/admin/integration", "/admin/integration/off", "/admin/webhooks", "/admin/chat"):
        page.goto(f"{address}{path}")
        check(page, path)
    page.goto(f"{address}/admin/rooms")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.locator("form[action='/admin/rooms/sheet'] input[type=file]").set_input_files(
        files=[{"name": "rooms.csv", "mimeType": "text/csv", "buffer": SHEET.encode()}]
    )
    page.locator("form[action='/admin/rooms/sheet'] button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "sheet")
