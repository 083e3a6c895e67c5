"""
A walk over every state of the pages that people see, in a company in which much is going on.

Each state is held against the keyboard, Axe, the width of a telephone and English words on pages in German; `make pictures`
looks at it in four looks and four languages and writes the pictures, for somebody to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from services.portal.frame import limits
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import ConsentState, IntegrationState, TakeRow, TakeState
from shared.crypto.links import Link, LinkPurpose, LinkSigner, link_path
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import Availability
from shared.grants.oauth import scopes_for
from shared.registry import tables
from tests.integration.services.portal.my_rooms.series import show_series
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.walk import company
from tests.support.walk.visits import FOLDER, Visits

pytestmark = [pytest.mark.browser, pytest.mark.proves("S5", "P3")]

HELD = """{
  const later = window.setTimeout;
  window.setTimeout = (act, ms, ...more) => ms === 10000 ? 0 : later(act, ms, ...more);
}"""
"""What a page holds back for ten seconds it holds for good: to be looked at takes longer than that on a busy machine."""


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """With the settings that a test asks for."""
    with an_office(tmp_path / "home", simulator, **getattr(request, "param", {})) as found:
        yield found


@pytest.fixture
def visits(office: Office, ada: Browser, chromium: Chromium, address: str) -> Visits:
    """Ada's."""
    return connected_visits(office, ada, chromium, address, "people")


def connected_visits(office: Office, browser: Browser, chromium: Chromium, address: str, area: str) -> Visits:
    """Those of somebody who has connected, in a company whose calendar system is as far away as they are."""
    company.keep_distance(office.calendar)
    tables.tenants(office.engine.registry).change(
        browser.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, name="Rheinische Möbelwerke") if row else None,
    )
    connected(office, browser, ConsentState.ACTIVE)
    return visits_of(office, browser, chromium, address, area)


def visits_of(office: Office, browser: Browser, chromium: Chromium, address: str, area: str) -> Visits:
    cookie = browser.client.get_cookie("roomsync_session")
    before = office.app.extensions[limits.EXTENSION].reset
    return Visits(chromium, address, cookie.value if cookie else "", area, before)


def connected(office: Office, browser: Browser, state: ConsentState, **more: Any) -> None:
    """Put the person's connection where it stands."""
    now_ms = office.clock.now_ms()
    changed = {"state": state, "first_look_at_ms": now_ms - HOUR_MS, **more}
    tables.consents(office.engine.registry).change(
        browser.tenant, browser.mailbox, lambda row: msgspec.structs.replace(row, **changed) if row else None
    )


def read(page: Page) -> None:
    """Everything that the page brings by itself is there."""
    expect(page.locator(".loading, [data-loading], [data-coming]")).to_have_count(0)


def suggested(page: Page) -> None:
    """And each card has its room, but those for whom none is free."""
    read(page)
    expect(page.locator("[data-suggest]:not([hidden])").nth(3)).to_be_attached()


def opened(page: Page) -> None:
    """The rooms of the first card are there to be chosen."""
    read(page)
    page.locator("[data-choose]").first.click()
    expect(page.locator(".choice").nth(2)).to_be_visible()


def awaiting_undo(take: Callable[[Page], None]) -> Callable[[Page], None]:
    """A room was taken, and the page waits whether that is undone, for as long as it is looked at."""

    def act(page: Page) -> None:
        page.add_init_script(HELD)
        page.reload()
        take(page)
        expect(page.locator("[data-undo]").first).to_be_visible()

    return act


def test_my_rooms_with_twelve_prompts_and_ninety_meetings(office: Office, ada: Browser, visits: Visits) -> None:
    company.fill(office, ada)
    [first, *_] = ada.client.get("/v1/me/prompts").json["prompts"]
    visits.see("prompts", "/", suggested)
    visits.see("choices", "/", opened)
    visits.see("prompt", f"/prompts/{first['id']}", read)

    def more(page: Page) -> None:
        opened(page)
        page.locator("[data-more]").click()
        page.locator(".panel details.filters summary").first.click()

    visits.see("more-choices", "/", more)

    def take(page: Page) -> None:
        suggested(page)
        page.locator("[data-take-suggested]:visible").first.click()

    visits.see("undo", "/", awaiting_undo(take))
    visits.end()


def test_my_rooms_with_a_series_that_lost_its_room_on_several_dates(
    office: Office, ada: Browser, visits: Visits
) -> None:
    [room, *_] = company.enter(office, ada)
    office.calendar.said = {f"raum{number}@rooms.test": Availability.FREE for number in range(1, 41)}
    yes, no = RoomState.ACCEPTED, RoomState.DECLINED
    _, second, *_ = show_series(office, ada, room, [yes, no, yes, no, no])

    visits.see("series", "/", read)
    visits.see("series-choices", "/", opened)
    visits.see("series-card", f"/prompts/{second.decline_id}", read)

    def take(page: Page) -> None:
        opened(page)
        page.locator(".choice").first.click()

    visits.see("series-undo", "/", awaiting_undo(take))
    visits.end()


def test_my_rooms_while_the_first_titles_are_being_read(
    office: Office, ada: Browser, visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    declined, *_ = few(office, ada, RoomState.DECLINED, RoomState.ACCEPTED, RoomState.PENDING)
    readable = Event()

    def late(answer: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *asked, **named: readable.wait() and answer(*asked, **named)

    def unread(page: Page) -> None:
        page.route("**/v1/me/rooms", lambda _: None)  # never answered: the page goes on waiting
        page.reload()
        expect(page.locator("#meetings .loading").first).to_be_visible()

    for name in ("read", "read_page"):
        monkeypatch.setattr(office.calendar, name, late(getattr(office.calendar, name)))
    try:
        visits.see("titles-loading", "/", unread)
        visits.see("titles-loading-card", f"/prompts/{declined.decline_id}", unread)
    finally:
        readable.set()
    visits.end()


@pytest.mark.parametrize("office", [{"writes": "off"}], indirect=True)
def test_pages_where_the_service_only_observes(office: Office, ada: Browser, visits: Visits) -> None:
    see_what_cannot_be_changed(office, ada, visits, "observing")
    tables.consents(office.engine.registry).delete(ada.tenant, ada.mailbox)
    visits.see("observing-profile-none", "/profile")
    visits.see("observing-welcome", "/welcome")
    visits.end()


def test_pages_of_somebody_who_has_to_connect_again(office: Office, ada: Browser, visits: Visits) -> None:
    reading = scopes_for(Provider.MICROSOFT, writes=False)
    connected(office, ada, ConsentState.ACTIVE, scopes=reading)
    see_what_cannot_be_changed(office, ada, visits, "reconnect")
    connected(office, ada, ConsentState.REVOKED, reason="invalid_grant")
    for path in ("day", "month", "book"):
        visits.see(f"revoked-{path}", f"/{path}")
    visits.end()


def see_what_cannot_be_changed(office: Office, ada: Browser, visits: Visits, area: str) -> None:
    """The pages of somebody whose calendar is read and cannot be changed from here."""
    declined, *_ = few(office, ada, RoomState.DECLINED, RoomState.ACCEPTED)

    visits.see(area, "/", read)
    visits.see(f"{area}-choices", "/", opened)
    visits.see(f"{area}-card", f"/prompts/{declined.decline_id}", read)
    for path in ("day", "month", "book", "profile"):
        visits.see(f"{area}-{path}", f"/{path}")


def few(office: Office, ada: Browser, *states: RoomState) -> list[Any]:
    """A meeting a state, tomorrow at nine and later."""
    rooms = company.enter(office, ada)
    office.calendar.said = {f"raum{number}@rooms.test": Availability.FREE for number in range(1, 41)}
    start_ms = office.clock.now_ms() // DAY_MS * DAY_MS + DAY_MS + 8 * HOUR_MS
    found = []
    for number, state in enumerate(states):
        room = company.at(office, ada, rooms[number], state, f"m-{number}", start_ms + number * HOUR_MS)
        company.show(office, ada, f"m-{number}", company.TITLES[number], room)
        found.append(room)
    return found


def test_my_rooms_with_a_card_and_what_becomes_of_it(office: Office, ada: Browser, visits: Visits) -> None:
    declined, *_ = few(office, ada, RoomState.DECLINED, RoomState.ACCEPTED, RoomState.PENDING, RoomState.UNKNOWN)
    card = f"/prompts/{declined.decline_id}"
    visits.see("card", "/", lambda page: (read(page), expect(page.locator("[data-suggest]")).to_be_visible()))
    free, office.calendar.said = office.calendar.said, dict.fromkeys(office.calendar.said, Availability.BUSY)
    office.calendar.busy = {address: [] for address in office.calendar.said}

    def none_free(page: Page) -> None:
        read(page)
        page.locator("[data-choose]").first.click()
        expect(page.locator(".times li")).to_have_count(3)

    visits.see("none-free", "/", none_free)
    visits.see("none-free-card", card, read)
    visits.see("filtered-card", f"{card}?seats=500", read)
    office.calendar.said = free
    office.calendar.away = True
    visits.see("provider-away", "/", read)
    visits.see("provider-away-card", card, read)
    office.calendar.away = False

    def cut_off(page: Page) -> None:
        read(page)
        page.context.set_offline(True)
        expect(page.get_by_role("alert")).to_be_visible()

    visits.see("cut-off", "/", cut_off)

    taken = office.room(
        ada, company.enter(office, ada)[20], RoomState.PENDING, meeting="m-0", asked_at_ms=office.clock.now_ms()
    )
    taken = msgspec.structs.replace(
        taken, occurrence=declined.occurrence, start_ms=declined.start_ms, end_ms=declined.end_ms, ask=declined.ask
    )
    row = TakeRow(
        user=ada.user, prompt=declined.decline_id, room=taken.room, state=TakeState.DONE, at_ms=office.clock.now_ms()
    )
    tables.takes(office.engine.registry).put(ada.tenant, "k-taken", row)
    company.show(office, ada, "m-0", company.TITLES[0], declined, taken)
    visits.see("asked", "/", lambda page: (read(page), expect(page.locator(".outcome")).to_be_visible()))
    company.show(
        office, ada, "m-0", company.TITLES[0], declined, msgspec.structs.replace(taken, state=RoomState.ACCEPTED)
    )
    visits.see("accepted", "/", lambda page: (read(page), expect(page.locator(".outcome.accepted")).to_be_visible()))
    visits.see("closed-card", card, read)
    visits.see("asked-flash", "/?done=asked", read)
    visits.end()


def test_my_rooms_with_little_or_nothing(office: Office, ada: Browser, visits: Visits) -> None:
    visits.see("empty", "/", read)
    few(office, ada, RoomState.ACCEPTED)
    now_ms = office.clock.now_ms()
    states: dict[str, dict[str, Any]] = {
        "connecting": {"state": ConsentState.CONNECTING},
        "first-sync": {"state": ConsentState.ACTIVE, "first_look_at_ms": 0, "connected_at_ms": now_ms},
        "failing": {"state": ConsentState.FAILING, "reason": "server_error"},
        "suspended": {"state": ConsentState.SUSPENDED, "reason": "AADSTS500011", "suspended_at_ms": now_ms},
        "revoked": {"state": ConsentState.REVOKED, "reason": "invalid_grant"},
        "sleeping": {"state": ConsentState.SLEEPING},
        "ending": {"state": ConsentState.ACTIVE, "ends_at_ms": now_ms + 3 * DAY_MS},
        "leaving": {"state": ConsentState.ACTIVE, "leaving_at_ms": now_ms},
    }
    for name, changed in states.items():
        connected(office, ada, **changed)
        visits.see(name, "/", read)
        visits.see(f"profile-{name}", "/profile")
    tables.consents(office.engine.registry).delete(ada.tenant, ada.mailbox)
    visits.see("none", "/", read)
    visits.see("profile-none", "/profile")
    visits.see("welcome", "/welcome")
    visits.see("day-none", "/day")
    visits.see("book-none", "/book")
    visits.end()


def book(sent: dict[str, str], act: str) -> Callable[[Page], None]:
    def fill_in(page: Page) -> None:
        for name, value in sent.items():
            page.locator(f"form[action='/book'] [name={name}]").first.fill(value)
        page.locator(f"form[action='/book'] p.actions button{act}").click()

    return fill_in


def test_days_bookings_and_the_profile(office: Office, ada: Browser, visits: Visits) -> None:
    company.fill(office, ada)
    office.calendar.busy = {f"raum{number}@rooms.test": [] for number in range(1, 41)}
    tomorrow = office.clock.now_ms() // DAY_MS * DAY_MS + DAY_MS
    date = company.date_of(tomorrow)
    visits.see("day", "/day")
    visits.see("day-full", f"/day?from={date}")
    visits.see("day-empty", f"/day?from={company.date_of(tomorrow + 200 * DAY_MS)}")
    visits.see("day-marked", "/day?done=marked")
    visits.see("month", "/month")
    visits.see("book", "/book")
    wanted = {"title": "Abstimmung", "date": date, "from": "10:00", "to": "11:00"}
    visits.see("book-choices", "/book", book(wanted, "[formaction]"))
    visits.see("book-wrong", "/book", book({**wanted, "from": "10:00", "to": "09:00"}, ":not([formaction])"))
    visits.see("book-guests", "/book", book({**wanted, "guests": "nobody"}, ":not([formaction])"))
    visits.see("book-too-many", "/book", book({**wanted, "people": "900"}, "[formaction]"))
    visits.see("booked", "/book", book({**wanted, "people": "7"}, ":not([formaction])"))
    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.BUSY)
    visits.see("book-none-free", "/book", book(wanted, "[formaction]"))
    office.calendar.away = True
    visits.see("day-away", "/day")
    visits.see("book-away", "/book", book(wanted, "[formaction]"))
    office.calendar.away = False
    visits.see("profile", "/profile")
    visits.see("profile-saved", "/profile?done=language")
    visits.see("kept-data", "/profile/kept-data")
    visits.see("forbidden", "/admin")
    visits.see("unknown", "/none")
    visits.see("unknown-prompt", "/prompts/d-none")
    signer = LinkSigner(office.deps.link_keys)
    for purpose in LinkPurpose:
        path = link_path(signer.sign(Link(purpose, ada.tenant, ada.user, "d-none")))
        visits.see(f"link-{purpose.value}", path)
    for name in ("help", "help/contact", "help/privacy", "help/terms"):
        visits.see(name.replace("/", "-"), f"/{name}")
    if FOLDER:  # as long as a book, in English, and without anything to press
        visits.see("api", "/api", keyboard=False)
    visits.end()


def test_pages_of_somebody_who_is_not_signed_in_or_not_let_in(
    office: Office, ada: Browser, visits: Visits, chromium: Chromium, address: str
) -> None:
    few(office, ada, RoomState.ACCEPTED)

    def signed_out(page: Page) -> None:
        read(page)
        page.route("**/v1/me/stream*", lambda route: route.fulfill(status=401, body="{}"))
        page.route("**/v1/me", lambda route: route.fulfill(status=401, body="{}"))
        page.reload()
        expect(page.get_by_role("alert")).to_be_visible()

    visits.see("signed-out", "/", signed_out)
    stranger = visits_of(office, office.browser(), chromium, address, "stranger")
    for name in ("help", "help/contact", "help/privacy", "help/terms", "p/none", "none"):
        stranger.see(name.replace("/", "-"), f"/{name}")
    stranger.see("sign-in", "/auth/login")
    stranger.see("sign-in-refused", "/auth/callback?error=access_denied&state=none")
    tables.tenants(office.engine.registry).change(
        ada.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=IntegrationState.OFF) if row else None,
    )
    visits.see("switched-off", "/")
    visits.see("profile-switched-off", "/profile")
    visits.end()
    stranger.end()
