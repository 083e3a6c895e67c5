"""The pages of a day as people meet them: on a telephone, at a desk, by day and by night, with and without a script."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, expect

from shared.contracts.meeting_state import RoomState
from shared.domain.instants import HOUR_MS
from shared.domain.sighting import AgendaItem, Availability, LiveAttendee
from tests.integration.services.portal.office import TITLE, Browser, Office

PAGES = ("/day", "/month", "/book")
pytestmark = pytest.mark.browser


@pytest.fixture
def context(ada: Browser, address: str, chromium: Chromium) -> Iterator[BrowserContext]:
    """Ada's browser, signed in, in Zurich."""
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    found = chromium.new_context(locale="en-GB", timezone_id="Europe/Zurich")
    found.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])
    yield found
    found.close()


@pytest.fixture(autouse=True)
def planned(office: Office, ada: Browser, domain: str) -> None:
    """A week with people, rooms, a private item and one that was declined."""
    [room, _] = office.enter_rooms(ada.tenant, "one", "two")
    office.calendar.said = {"two@rooms.test": Availability.FREE}
    office.show(office.meeting(ada, office.room(ada, room, RoomState.PENDING)), ada.tenant)
    people = tuple(
        LiveAttendee(name, f"{name.lower()}@{domain}", is_room=False, answer=answer)
        for name, answer in (("Ada", "accepted"), ("Ben", "none"), ("Theodora-Alexandrina Wolkenkratzer", "declined"))
    )
    office.calendar.planned = [
        AgendaItem(
            event_id="event-of-m-planning" if n == 0 else f"e{n}", uid=f"uid-{n}", slot="", title=f"{TITLE} {n}",
            start_ms=(office.clock.now_ms() // HOUR_MS + 24 + 5 * n) * HOUR_MS,
            end_ms=(office.clock.now_ms() // HOUR_MS + 25 + 5 * n) * HOUR_MS,
            all_day=False, private=n == 1, declined=n == 2, is_organizer=n != 3, attendees=people if n != 1 else (),
        )
        for n in range(5)
    ]  # fmt: skip


@pytest.mark.proves("S5")
def test_pages_of_the_day_fit_and_have_no_barrier_on_a_telephone_and_at_a_desk_by_day_and_night(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    for width in (390, 1280):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for path in PAGES:
                page.goto(f"{address}{path}")
                expect(page.locator("#zone-note")).to_contain_text("Europe/Zurich")
                found = Axe().run(page)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                assert found.violations_count == 0, (path, width, scheme, found.generate_report())


@pytest.mark.proves("E4", "E7")
def test_day_is_marked_and_a_room_looked_for_without_a_script(context: BrowserContext, address: str) -> None:
    page = context.browser.new_context(java_script_enabled=False).new_page() if context.browser else None
    assert page is not None
    page.context.add_cookies(context.cookies())  # type: ignore[arg-type]  # what one context gives, another takes
    page.goto(f"{address}/day")
    expect(page.locator("#zone-note")).to_contain_text("UTC")
    page.get_by_role("button", name="Office").first.click()
    expect(page.get_by_role("button", name="Office", pressed=True)).to_have_count(1)
    page.goto(f"{address}/book")
    page.get_by_label("Title").fill("Cranes")
    page.get_by_label("Date").fill("2099-01-07")
    page.get_by_role("button", name="See which rooms are free").click()
    expect(page.locator(".choice")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("not confirmed")


@pytest.mark.proves("E2", "S5")
def test_line_of_now_moves_along_the_axis_and_a_meeting_on_it_leads_to_its_details(
    office: Office, ada: Browser, address: str, chromium: Chromium
) -> None:
    ahead = 12 - office.clock.now_ms() // HOUR_MS % 24  # in this zone it is past noon
    zone = f"Etc/GMT{'-' if ahead > 0 else '+'}{abs(ahead)}"
    now_ms = office.clock.now_ms() // HOUR_MS * HOUR_MS
    office.calendar.planned = [
        dataclasses.replace(office.calendar.planned[0], start_ms=now_ms + n * HOUR_MS // 2, end_ms=now_ms + HOUR_MS,
                            event_id=f"now-{n}", title=f"{TITLE} {n}")
        for n in (0, 1)
    ]  # fmt: skip
    context = chromium.new_context(locale="en-GB", timezone_id=zone, viewport={"width": 1280, "height": 900})
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies(
        [
            {"name": "roomsync_session", "value": cookie.value, "url": address},
            {"name": "roomsync_zone", "value": zone, "url": address},
        ]
    )
    page = context.new_page()
    page.clock.install(time=office.clock.now_ms() / 1_000)
    page.goto(f"{address}/day")
    line = page.locator("[data-now]")
    expect(line).to_have_class(re.compile("from-h12 "))
    page.clock.run_for(HOUR_MS)
    expect(line).to_have_class(re.compile("from-h13 "))
    first, second = (page.locator(".blocks a").nth(n) for n in (0, 1))
    boxes = [each.bounding_box() for each in (first, second)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] < boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = Axe().run(page)
        assert found.violations_count == 0, (scheme, found.generate_report())
    second.focus()
    page.keyboard.press("Enter")
    expect(page.locator("li.meeting:target")).to_contain_text(f"{TITLE} 1")
    page.set_viewport_size({"width": 320, "height": 900})  # as at 400 % of a wide screen: the list says it all
    expect(page.locator(".day-axis")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()


@pytest.mark.proves("E3")
def test_room_is_booked_by_clicks_and_the_enter_key_books_what_the_form_says(
    office: Office, context: BrowserContext, address: str
) -> None:
    office.calendar.said = {"one@rooms.test": Availability.FREE, "two@rooms.test": Availability.FREE}
    page = context.new_page()
    page.goto(f"{address}/book")
    expect(page.locator("#zone-note")).to_contain_text("Europe/Zurich")
    page.get_by_label("Title").fill("Cranes")
    page.get_by_role("button", name="45", exact=True).click()
    page.get_by_text("Room two").click()
    assert office.calendar.booked == {}
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Room two has been asked")
    [meeting] = office.calendar.booked.values()
    assert (meeting.end_ms - meeting.start_ms, meeting.rooms[0].name) == (HOUR_MS * 3 // 4, "Room two")
    page.goto(f"{address}/book")
    page.get_by_label("Title").fill("Herons")
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("has been asked")
    assert sorted(each.title for each in office.calendar.booked.values()) == ["Cranes", "Herons"]


@pytest.mark.proves("E3")
def test_guests_are_completed_from_the_meetings_of_these_days_one_after_the_other(
    context: BrowserContext, address: str, domain: str
) -> None:
    page = context.new_page()
    page.goto(f"{address}/book")
    proposed = "[...document.getElementById('known-guests').options].map(each => each.value)"
    theodora = f"theodora-alexandrina wolkenkratzer@{domain}"
    assert page.evaluate(proposed) == [f"ben@{domain}", theodora], "not Ada, whose form it is"
    page.locator("[data-guests]").fill("cleo@x.test, be")
    assert page.evaluate(proposed) == [f"cleo@x.test, ben@{domain}", f"cleo@x.test, {theodora}"]
    page.locator("[data-guests]").fill(f"ben@{domain}, ")
    assert page.evaluate(proposed) == [f"ben@{domain}, {theodora}"]
