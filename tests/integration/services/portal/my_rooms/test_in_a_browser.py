"""The page as people meet it: in Debian's Chromium, with a mouse, a keyboard, a telephone, at night."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from shared.contracts.decline_incident import CauseKind, DeclineIncident, LikelyCause
from shared.contracts.meeting_state import RoomState
from shared.contracts.meeting_state_version_1 import RoomMemory
from shared.contracts.rows import TakeState
from shared.domain.sighting import Availability
from shared.organisations import decline_incidents
from shared.registry import tables
from shared.runtime import metrics
from tests.integration.services.portal.my_rooms.series import event_on, show_series
from tests.integration.services.portal.my_rooms.test_api import takes_asked
from tests.integration.services.portal.my_rooms.test_stream import until
from tests.integration.services.portal.office import TITLE, Browser, Office

pytestmark = pytest.mark.browser


@pytest.fixture
def page(chromium: Chromium, ada: Browser, address: str) -> Iterator[Page]:
    """Ada's, signed in, at the width and in the light that the test asks for later."""
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Zurich")
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])
    shown = context.new_page()
    faults: list[str] = []
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    shown.goto(address)
    yield shown
    context.close()
    assert faults == []


@pytest.fixture
def rooms(office: Office, ada: Browser) -> list[str]:
    office.calendar.said = {f"{name}@rooms.test": Availability.FREE for name in ("two", "three", "four", "five")}
    return office.enter_rooms(ada.tenant, "one", "two", "three", "four", "five")


def stop_clock(page: Page) -> None:
    """From now on the time of a page whose clock was installed passes by `run_for` alone, however long the test takes."""
    page.clock.pause_at(page.evaluate("Date.now()") + 1_000)


def decline(office: Office, ada: Browser, room: str) -> RoomMemory:
    declined = office.room(ada, room, RoomState.DECLINED)
    office.show(office.meeting(ada, declined), ada.tenant)
    return declined


@pytest.mark.proves("E42", "E43", "D8")
def test_prompt_appears_by_itself_is_acted_on_with_one_click_and_closes_itself(
    office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    office.show(office.meeting(ada, office.room(ada, rooms[0], RoomState.PENDING)), ada.tenant)
    expect(page.locator("#meetings .badge")).to_have_text("Pending")
    assert "booked" not in page.content().lower()

    declined = decline(office, ada, rooms[0])
    expect(page.get_by_role("heading", name=f"{TITLE} lost its room")).to_be_visible()
    expect(page.locator("#prompt-list .said-no")).to_contain_text("Room one said no")
    expect(page.locator("#prompt-list [data-prompt]")).to_have_count(1)
    expect(page.locator("#prompt-list")).to_contain_text(TITLE)
    page.get_by_role("button", name="Choose another room").click()
    expect(page.locator(".choice")).to_have_count(3)
    page.locator(".choice").first.click()
    page.get_by_role("button", name="Ask now").click()
    expect(page.locator("[data-took]").first).to_contain_text("Asking for Room")

    until(lambda: bool(takes_asked(office)), "the wish")
    [wish] = takes_asked(office)
    asked = office.room(ada, wish.room_id, RoomState.PENDING, asked_at_ms=office.clock.now_ms())
    office.show(office.meeting(ada, declined, asked), ada.tenant)
    expect(page.locator("#prompt-list .closed")).to_contain_text("asked for a room again")
    expect(page).to_have_title("My rooms · roomsync")


def test_everything_can_be_done_with_the_keyboard(office: Office, ada: Browser, page: Page, rooms: list[str]) -> None:
    decline(office, ada, rooms[0])
    expect(page.get_by_role("button", name="Choose another room")).to_be_visible()

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-take-suggested]")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("[data-take-suggested]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose another room")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".choice").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("[data-took]").first).to_contain_text("Asking for Room")
    until(lambda: bool(takes_asked(office)), "the wish")
    assert len(takes_asked(office)) == 1


def test_dismissed_prompt_goes_and_stays_away(office: Office, ada: Browser, page: Page, rooms: list[str]) -> None:
    decline(office, ada, rooms[0])

    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#prompt-list .closed")).to_contain_text("you put it away")
    page.reload()

    expect(page.locator("#prompt-list [data-prompt]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
@pytest.mark.proves("S5")
def test_page_fits_a_telephone_and_has_no_barrier_by_day_or_night(
    width: int, scheme: str, office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    decline(office, ada, rooms[0])
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.get_by_role("button", name="Choose another room").click()
    expect(page.locator(".choice")).to_have_count(3)

    found = Axe().run(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_page_has_no_barrier(scheme: str, chromium: Chromium, address: str) -> None:
    context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light")
    shown = context.new_page()
    shown.goto(f"{address}/auth/login")
    shown.get_by_text("The permissions that will be asked for").click()

    found = Axe().run(shown)

    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_times_are_those_of_the_reader(office: Office, ada: Browser, page: Page, rooms: list[str]) -> None:
    declined = decline(office, ada, rooms[0])
    expect(page.locator("#meetings .when")).to_be_visible()

    begins, ends = page.evaluate(
        "at => at.map(each => new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', timeZone: 'Europe/Zurich'})"
        ".format(each))",
        [declined.start_ms, declined.end_ms],
    )

    expect(page.locator("#meetings .when")).to_have_text(f"{begins}\N{EN DASH}{ends}")  # as the server writes them


@pytest.mark.proves("B8")
def test_dates_of_a_series_share_a_card_that_grows_and_shrinks_by_itself(
    office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    yes, no = RoomState.ACCEPTED, RoomState.DECLINED
    show_series(office, ada, rooms[0], [yes] * 4)
    expect(page.locator("#meetings .badge")).to_have_count(4)
    card = page.locator("#prompt-list [data-prompt]")
    show_series(office, ada, rooms[0], [yes, no, yes, yes])
    expect(card.locator(".said-no")).to_have_text("Room one said no. Needs 2 seats.")
    expect(card).to_contain_text("3 of 4 dates have the room.")
    show_series(office, ada, rooms[0], [yes, no, yes, no])
    expect(card.locator(".said-no")).to_have_text("Room one said no on 2 dates. Needs 2 seats.")
    expect(card).to_contain_text("2 of 4 dates have the room.")
    expect(card.locator("[data-date]")).to_have_count(2)
    page.reload()
    expect(card.locator(".said-no")).to_have_text("Room one said no on 2 dates. Needs 2 seats.")
    show_series(office, ada, rooms[0], [no, no, yes, no])
    expect(card.locator("[data-date]")).to_have_count(3)
    expect(page).to_have_title("(1) My rooms · roomsync")
    show_series(office, ada, rooms[0], [yes, no, yes, no])
    expect(card.locator(".said-no")).to_have_text("Room one said no on 2 dates. Needs 2 seats.")
    page.get_by_role("button", name="Choose one room for all").click()
    expect(page.locator(".choice")).to_have_count(3)
    page.locator(".choice").first.click()
    page.get_by_role("button", name="Ask now").click()
    until(lambda: len(takes_asked(office)) == 2, "a wish for each date")
    assert {wish.event_id for wish in takes_asked(office)} == {event_on(1), event_on(3)}
    assert Axe().run(page).response["violations"] == []


@pytest.mark.proves("D8", "E43")
def test_best_room_stands_on_the_card_and_is_asked_with_one_click_once_ten_seconds_have_passed(
    office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    page.clock.install()
    page.reload()
    declined = decline(office, ada, rooms[0])
    card = page.locator("#prompt-list [data-prompt]")
    expect(card.locator("[data-until]")).to_have_text("tomorrow")
    expect(card.get_by_role("button", name="Take Room")).to_be_visible()
    stop_clock(page)
    card.get_by_role("button", name="Take Room").click()
    expect(card).to_contain_text("is asked in ten seconds")
    page.clock.run_for(9_000)
    assert takes_asked(office) == []
    page.clock.run_for(1_000)
    page.clock.resume()
    until(lambda: bool(takes_asked(office)), "the wish")
    [wish] = takes_asked(office)

    [(take_id, row)] = tables.takes(office.engine.registry).scan(ada.tenant)
    done = msgspec.structs.replace(row, state=TakeState.DONE)
    tables.takes(office.engine.registry).put(ada.tenant, take_id, done)
    asked = office.room(ada, wish.room_id, RoomState.PENDING, asked_at_ms=office.clock.now_ms())
    office.show(office.meeting(ada, declined, asked), ada.tenant)
    outcome = page.locator("#outcomes .outcome")
    while outcome.count() == 0:
        page.clock.run_for(1_000)
    expect(outcome).to_contain_text(f"has been asked for {TITLE}. It is pending")
    office.show(office.meeting(ada, declined, msgspec.structs.replace(asked, state=RoomState.ACCEPTED)), ada.tenant)
    expect(page.locator("#outcomes .outcome.accepted")).to_contain_text(f"has accepted: {TITLE} has its room.")
    page.reload()
    expect(page.locator("#outcomes .outcome.accepted")).to_contain_text(f"has accepted: {TITLE} has its room.")
    assert Axe().run(page).response["violations"] == []
    outcome.get_by_role("button", name="OK").click()
    expect(outcome).to_have_count(0)
    page.reload()
    expect(page.locator("#meetings .badge.accepted")).to_be_visible()
    expect(outcome).to_have_count(0)


def test_a_click_is_undone_and_nobody_is_asked(office: Office, ada: Browser, page: Page, rooms: list[str]) -> None:
    page.clock.install()
    page.reload()
    decline(office, ada, rooms[0])
    take = page.get_by_role("button", name="Take Room")
    expect(take).to_be_visible()
    stop_clock(page)
    take.click()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-took]").first).to_have_text("Nothing was asked.")
    expect(take).to_be_focused()
    page.clock.run_for(20_000)
    take.click()
    page.goto("about:blank")  # who leaves meant it
    until(lambda: bool(takes_asked(office)), "the wish")
    assert len(takes_asked(office)) == 1


def test_address_of_a_prompt_opens_on_its_card(
    office: Office, ada: Browser, page: Page, rooms: list[str], address: str
) -> None:
    declined = decline(office, ada, rooms[0])
    page.goto(f"{address}/prompts/{declined.decline_id}")
    heading = page.get_by_role("heading", name=f"{TITLE} lost its room")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(page.locator(".choice:visible")).to_have_count(3)


@pytest.mark.proves("B17", "D8")
def test_twelve_prompts_fold_and_one_button_asks_for_a_room_for_each_and_says_for_which_it_could_not(
    office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    many = 12
    page.clock.install()
    page.reload()
    for number in range(many):
        name = f"m-{number}"
        declined = office.room(ada, rooms[0], RoomState.DECLINED, meeting=name, occurrence=f"o-{number}")
        office.show(office.meeting(ada, declined, meeting=name), ada.tenant)
    expect(page.locator("#prompts.rows [data-prompt]")).to_have_count(many)
    expect(page.locator("#prompt-list .said-no").first).to_be_hidden()
    assert Axe().run(page).response["violations"] == []
    every = page.get_by_role("button", name="Take the suggested room for all 12")
    stop_clock(page)
    every.click()
    page.get_by_role("button", name="Undo").click()
    expect(every).to_be_focused()
    page.clock.run_for(20_000)
    assert takes_asked(office) == []

    every.click()
    page.clock.run_for(10_000)
    page.clock.resume()
    expect(page.locator("[data-all-words]")).to_contain_text("A room was asked for 4 of 12 meetings.")
    expect(page.locator("[data-all-words]")).to_contain_text(f"Not for: {', '.join([TITLE] * 8)}.")
    asked = takes_asked(office)
    assert (len(asked), {wish.room_id for wish in asked}) == (4, set(rooms[1:]))
    assert len({wish.event_id for wish in asked}) == 4


@pytest.mark.proves("D8")
def test_more_rooms_are_shown_on_request_and_filtered(
    office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    tables.rooms(office.engine.registry).change(
        ada.tenant, rooms[4], lambda row: msgspec.structs.replace(row, building="South", capacity=20) if row else None
    )
    tables.rooms(office.engine.registry).change(
        ada.tenant, rooms[3], lambda row: msgspec.structs.replace(row, equipment=("Screen",)) if row else None
    )
    decline(office, ada, rooms[0])
    page.get_by_role("button", name="Choose another room").click()
    choices = page.locator(".choice")
    expect(choices).to_have_count(3)
    page.get_by_role("button", name="Show all 4 free rooms").press("Enter")
    expect(choices).to_have_count(4)
    expect(choices.nth(3)).to_be_focused()
    page.get_by_text("Filter rooms").click()
    page.get_by_label("Building").select_option("South")
    expect(choices).to_have_count(1)
    page.get_by_label("Building").select_option("")
    page.get_by_label("Seats at least").fill("10")
    page.keyboard.press("Tab")
    expect(choices).to_contain_text(["Room five"])
    page.get_by_label("Screen").check()
    expect(page.locator(".panel .notice")).to_have_text("No room that is large enough matches your filters.")
    expect(page.locator("#said")).to_contain_text("Without “Equipment”, 1 room is free.")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Without “Equipment”").click()
    expect(choices).to_contain_text(["Room five"])
    expect(page.get_by_label("Screen")).not_to_be_checked()
    page.get_by_role("link", name="No filter").click()
    expect(choices).to_have_count(4)
    expect(page.get_by_label("Seats at least")).to_have_value("")


@pytest.mark.proves("B17")
def test_twenty_prompts_stand_singly_and_one_line_opens_the_others_also_live(
    office: Office, ada: Browser, page: Page, rooms: list[str], address: str
) -> None:
    expect(page.locator("#folded")).to_be_hidden()
    for number in range(23):
        declined = office.room(ada, rooms[0], RoomState.DECLINED)
        office.show(office.meeting(ada, declined, meeting=f"m-{number}"), ada.tenant)
    expect(page.locator("#prompt-list [data-prompt]")).to_have_count(20)
    expect(page.locator("#folded-words")).to_have_text("And 3 more")
    expect(page.locator("#folded-list [data-prompt]").first).to_be_hidden()
    page.locator("#folded-words").click()
    expect(page.locator("#folded-list [data-prompt]").first).to_be_visible()
    expect(page.locator("#many")).to_be_hidden()
    cause = LikelyCause(kind=CauseKind.NONE)
    incident = DeclineIncident(id="i", began_at_ms=1, last_at_ms=1, declines=23, upcoming=23, cause=cause)
    decline_incidents.publish(office.engine.registry, ada.tenant, incident)
    expect(page.locator("#many")).to_contain_text("Many rooms of your organisation said no at once")
    decline_incidents.release(office.engine.registry, ada.tenant, office.clock.now_ms())
    expect(page.locator("#many")).to_be_hidden()
    page.goto(address)
    expect(page.locator("#prompt-list [data-prompt]")).to_have_count(20)
    expect(page.locator("#folded-words")).to_have_text("And 3 more")
    times = [
        *page.locator("#prompt-list .when").all_text_contents(),
        *page.locator("#folded-list .when").all_text_contents(),
    ]
    assert len(times) == 23
    assert len(set(times)) == 1, "all meet at the same time, and the reader's zone is the one of folded cards too"


@pytest.mark.proves("B22")
def test_a_prompt_that_opens_on_an_open_page_is_measured(
    office: Office, ada: Browser, page: Page, rooms: list[str]
) -> None:
    def measured() -> float:
        labels = {"channel": "page", "le": "+Inf"}
        return metrics.REGISTRY.get_sample_value("roomsync_told_seconds_bucket", labels) or 0.0

    before = measured()
    expect(page.locator("#live")).to_have_text("Live: changes appear by themselves.")
    decline(office, ada, rooms[0])
    expect(page.locator("#prompt-list [data-prompt]")).to_have_count(1)
    assert measured() - before == 1


@pytest.mark.proves("E43", "S5")
def test_card_names_the_nearest_times_where_no_room_is_free_and_leads_to_the_event(
    office: Office, ada: Browser, page: Page, address: str, rooms: list[str]
) -> None:
    decline(office, ada, rooms[0])
    event = next(iter(office.calendar.events))
    office.calendar.events[event] = dataclasses.replace(
        office.calendar.events[event], link="https://calendar.test/event/1"
    )
    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.BUSY)
    office.calendar.busy = {address: [] for address in office.calendar.said}
    page.goto(f"{address}/?titles=wait")
    page.get_by_role("button", name="Choose another room").click()
    expect(page.locator(".times li")).to_have_count(3)
    expect(page.locator(".times bdi").first).to_contain_text("Room")
    expect(page.locator("[data-move] a")).to_have_attribute("href", "https://calendar.test/event/1")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Not now").click()
    expect(page.locator("[data-move]")).to_be_hidden()
    assert takes_asked(office) == []
