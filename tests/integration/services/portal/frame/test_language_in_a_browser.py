"""Server and script write the same times, and pages hold long words, in Chromium."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium

from shared.contracts.meeting_state import RoomState
from shared.language.deciding.formats import write_clock, write_long_day, write_short_day
from shared.language.deciding.negotiation import choose_manner
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.browser

LOCALES = ("en-GB", "en-US", "en-AU", "en-IN", "de-DE", "de-AT", "de-CH", "fr-FR", "fr-CA", "fr-CH", "nl-NL", "nl-BE")
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata")
INSTANTS = (
    "2026-01-05T08:05:00Z",
    "2026-03-29T00:59:00Z",
    "2026-03-29T01:00:00Z",  # the clocks go forward in Europe
    "2026-06-21T12:00:00Z",
    "2026-10-25T01:30:00Z",  # a time that came once already
    "2026-12-31T23:59:00Z",
)
WRITE = """async (rows) => {
  const { writing } = await import("/static/my_rooms/writing.js");
  return rows.map(([locale, hours, at, zone]) => {
    const { clock, shortDay, longDay } = writing(locale, hours, zone);
    return [clock, shortDay, longDay].map((form) => form.format(new Date(at)));
  });
}"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsbesprechungsraum"
HEBREW = "חדר ישיבות צפוני 4"


@pytest.mark.proves("P3")
def test_server_and_script_write_the_same_times(chromium: Chromium, address: str) -> None:
    page = chromium.new_page()
    page.goto(f"{address}/help")
    cases = list(itertools.product(LOCALES, ("", "12", "24"), INSTANTS, ZONES))
    manners = {(tag, clock): choose_manner(tag, clock=clock) for tag in LOCALES for clock in ("", "12", "24")}
    rows, expected = [], []
    for tag, clock, instant, zone in cases:
        manner = manners[tag, clock]
        moment = datetime.fromisoformat(instant).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        rows.append([manner.tag, "h12" if manner.twelve_hours else "h23", instant, zone])
        expected.append([write_clock(moment, manner), write_short_day(moment, manner), write_long_day(moment, manner)])
    written = page.evaluate(WRITE, rows)
    assert [
        (case, ours, theirs) for case, ours, theirs in zip(cases, expected, written, strict=True) if ours != theirs
    ] == []
    page.close()


@pytest.mark.proves("P3", "S5")
def test_long_names_and_those_from_right_to_left_hold_in_german(
    office: Office, ada: Browser, chromium: Chromium, address: str
) -> None:
    first, second = office.enter_rooms(ada.tenant, LONG, HEBREW)
    rooms = [office.room(ada, each, RoomState.DECLINED, occurrence=f"o-{each}") for each in (first, second)]
    office.show(office.meeting(ada, *rooms), ada.tenant)
    events = office.calendar.events
    events |= {name: dataclasses.replace(each, title=f"{HEBREW} {LONG}") for name, each in events.items()}
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    for width, scripts in itertools.product((390, 1280), (True, False)):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            locale="de-CH",
            timezone_id="Europe/Zurich",
            java_script_enabled=scripts,
        )
        context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])
        context.add_cookies([{"name": "roomsync_zone", "value": "Europe/Zurich", "url": address}])
        page = context.new_page()
        for path in ("/", f"/prompts/{rooms[0].decline_id}", "/day", "/month", "/book", "/profile", "/help/privacy"):
            page.goto(f"{address}{path}")
            assert page.locator("html").get_attribute("lang") == "de"
            if scripts:
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
                assert Axe().run(page).response["violations"] == [], (path, width)
        context.close()
