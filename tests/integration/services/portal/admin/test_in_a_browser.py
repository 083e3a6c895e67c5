"""The administrators' pages in Chromium: followed live, on a telephone and a desk, by day and by night, without barriers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, expect

from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.admin.administration import Building, a_building
from tests.integration.services.portal.admin.integration.testflow.test_flow import Site, a_site
from tests.integration.services.portal.office import Simulator

pytestmark = pytest.mark.browser

WIDTHS = (390, 1280)
SCHEMES: dict[Any, dict[str, Any]] = {"light": {}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}}}
"""Colour scheme → what Axe looks for; everything where nothing is said."""


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator_url: str) -> Iterator[Building]:
    with a_building(tmp_path_factory.mktemp("seen"), Simulator(simulator_url), test_flow_s=3.0) as found:
        yield found


@pytest.fixture(scope="module")
def site(building: Building) -> Site:
    return a_site(building, "microsoft")


@pytest.fixture(scope="module")
def address(building: Building) -> Iterator[str]:
    server = serve_in_background(building.app, "portal", threads=8, ready=False)
    yield server.url
    server.close()


def seen_by(site: Site, chromium: Chromium, address: str, width: int) -> BrowserContext:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
    cookie = site.chief.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])
    return context


@pytest.mark.proves("E18", "S5")
def test_pages_have_no_barrier_and_fit_every_width(site: Site, chromium: Chromium, address: str) -> None:
    site.chief.post("/admin/integration/test", provider="microsoft")
    site.chief.post("/admin/integration/test/depart", provider="microsoft")
    paths = ["", "/test", "/test/permissions", "/help", "/../people", "/../audit"]
    check(site, chromium, address, paths)

    site.use_room(f"manual@{site.domain}")
    assert site.test()["state"] == "failed"
    check(site, chromium, address, ["", "/test/result"])

    site.use_room(site.room)
    assert site.test()["state"] == "enabled"
    room = site.chief.call("GET", "/v1/admin/rooms").json["rooms"][0]["id"]
    others = ["/..", "/../rooms", "/../rooms/day", f"/../rooms/{room}", "/../chat", "/../../profile/kept-data"]
    check(site, chromium, address, ["", "/test/result", "/off", "/switch?provider=google", *others])


@pytest.mark.proves("E18", "S5")
def test_rows_that_are_cards_on_a_telephone_stay_a_table_to_those_who_hear_it(
    site: Site, chromium: Chromium, address: str
) -> None:
    context = seen_by(site, chromium, address, 360)
    page = context.new_page()
    page.goto(f"{address}/admin/rooms")
    heard = [
        (node["role"]["value"], node["name"]["value"])
        for node in context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        if not node["ignored"] and "name" in node
    ]
    headings = [name for role, name in heard if role == "columnheader"]
    assert headings == ["Choose", "Room", "Where", "Seats", "Equipment", "Health", "Declined", "Usual answer"]
    [row, *_] = [name for role, name in heard if role == "rowheader"]
    assert site.room in row
    assert {role for role, _ in heard} >= {"table", "row", "cell"}
    seats = page.locator("tr", has_text=site.room).get_by_role("cell").filter(visible=True)
    assert seats.nth(1).evaluate("(cell) => getComputedStyle(cell, '::before').content").startswith('"Health"')
    context.close()


def check(site: Site, chromium: Chromium, address: str, paths: list[str]) -> None:
    """Night differs from day in colours alone: what else may be a barrier is looked for by day."""
    for width in WIDTHS:
        context = seen_by(site, chromium, address, width)
        page = context.new_page()
        for path in paths:
            page.goto(f"{address}/admin/integration{path}")
            for scheme, sought in SCHEMES.items():
                page.emulate_media(color_scheme=scheme)
                found = Axe().run(page, options=sought)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                assert found.violations_count == 0, f"{path} {width} {scheme}: {found.generate_report()}"
            page.emulate_media(color_scheme="light")
        context.close()


@pytest.mark.proves("E24")
def test_result_follows_by_itself_and_the_diagnosis_can_be_copied(
    building: Building, chromium: Chromium, address: str
) -> None:
    site = a_site(building, "google")
    site.use_room(f"manual@{site.domain}")
    site.chief.call("POST", "/v1/admin/integration/test", provider="google")
    context = seen_by(site, chromium, address, 1280)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    site.chief.depart("google", site.address)

    page.goto(f"{address}/admin/integration/test/result")
    expect(page.get_by_role("heading", name="Testing Google Workspace")).to_be_visible()
    expect(page.get_by_role("heading", name="The test did not pass")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Copy the diagnosis").click()

    expect(page.locator("#copied")).to_have_text("Copied.")
    assert "trouble: room-silent" in page.evaluate("navigator.clipboard.readText()")
    context.close()


@pytest.mark.proves("P1")
def test_result_of_somebody_who_is_signed_out_says_so_at_the_top(
    building: Building, chromium: Chromium, address: str
) -> None:
    site = a_site(building, "google")
    site.use_room(f"manual@{site.domain}")
    site.chief.call("POST", "/v1/admin/integration/test", provider="google")
    context = seen_by(site, chromium, address, 390)
    page = context.new_page()
    site.chief.depart("google", site.address)

    page.goto(f"{address}/admin/integration/test/result")
    expect(page.get_by_role("heading", name="Testing Google Workspace")).to_be_visible()
    page.route("**/admin/integration/test/result", lambda route: route.fulfill(status=401, body="{}"))

    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    assert Axe().run(page).response["violations"] == []
    page.unroute_all()
    context.close()
