"""The portal where the deployment only observes: it asks to read, shows what it sees, offers and does nothing that would write."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from services.portal.my_calendar.deciding.writing_words import OBSERVING
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.openid import asked_for
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import ConsentState
from shared.domain.identity import Provider
from shared.domain.sighting import Availability
from shared.grants.broker import ConsentBroker
from shared.grants.token_endpoint import TokenEndpoint
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.described_answers import described_portal

LINK = "https://outlook.invalid/owa/?itemid=1"
WRITING = {"/prompts/<prompt_id>/take", "/v1/me/prompts/<prompt_id>/take", "/book", "/v1/me/bookings"}
"""Changes that would write to a person's calendar."""
OWN = {
    "/auth/logout", "/welcome/later", "/v1/me/welcome/later", "/profile/connect", "/profile/disconnect",
    "/profile/sign-out-everywhere", "/v1/me/calendar/connect", "/v1/me/calendar/disconnect", "/prompts/<prompt_id>/dismiss",
    "/v1/me/prompts/<prompt_id>/dismiss", "/book/rooms", "/day/place", "/day/attendance",
    "/v1/me/office-days/<day>", "/v1/me/attendances/<meeting>/<occurrence>", "/profile/connect/reported",
    "/profile/notifications", "/v1/me/notifications", "/profile/language", "/v1/me/language",
    "/profile/browsers/<browser>/remove", "/v1/me/browsers", "/v1/me/browsers/<browser>",
    "/p/<signed>", "/v1/webhooks", "/v1/webhooks/<endpoint>",
    "/v1/webhooks/<endpoint>/redeliver", "/v1/webhooks/<endpoint>/resume", "/v1/webhooks/<endpoint>/secrets",
    "/v1/webhooks/<endpoint>/secrets/older", "/v1/webhooks/<endpoint>/test", "/v1/chat-channels",
    "/v1/chat-channels/<channel>", "/v1/chat-channels/<channel>/test",
}  # fmt: skip
"""Changes of roomsync's own stores, and questions that are sent as forms. Administrators' are all of this kind."""
PAGES = ("/", "/day", "/month", "/book", "/profile")


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """A portal that only observes."""
    with an_office(tmp_path / "home", simulator, writes="off") as found:
        yield found


@pytest.fixture
def declined(office: Office, ada: Browser) -> str:
    """Ada's meeting, whose room has declined; another one is free. The prompt's id."""
    first, _ = office.enter_rooms(ada.tenant, "one", "two")
    room = office.room(ada, first, RoomState.DECLINED)
    office.show(office.meeting(ada, room), ada.tenant)
    events = office.calendar.events
    events |= {name: dataclasses.replace(each, link=LINK) for name, each in events.items()}
    office.calendar.said = {"two@rooms.test": Availability.FREE}
    return room.decline_id


def restarted(office: Office, browser: Browser, writes: str) -> Browser:
    """The same stores and session, in a portal with another setting."""
    settings = dataclasses.replace(office.settings, writes=writes)
    endpoint = TokenEndpoint(settings.call_timeout_s)
    engine = office.engine
    broker = ConsentBroker(engine.registry, engine.keyring, settings, office.clock, endpoint)
    deps = dataclasses.replace(office.deps, settings=settings, broker=broker)
    app = described_portal(deps)
    found = dataclasses.replace(browser, office=office, client=app.test_client())
    for name in ("roomsync_session", "roomsync_browser"):
        cookie = browser.client.get_cookie(name)
        if cookie is not None:
            found.client.set_cookie(name, cookie.value)
    return found


def take(browser: Browser, prompt: str, room: str, key: str = "k") -> object:
    return browser.post(f"/v1/me/prompts/{prompt}/take", {"roomId": room}, Idempotency_Key=key)


@pytest.mark.proves("B19", "E12")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_connecting_asks_for_permission_to_read_alone_and_the_pages_list_the_same(
    office: Office, domain: str, provider: str
) -> None:
    where = domain if provider == "microsoft" else f"g.{domain}"
    ada = office.signed_in(f"ada@{where}", provider)
    asked = parse_qs(urlsplit(ada.connecting()).query)["scope"][0].split()
    assert asked == list(asked_for(Provider(provider), Purpose.CONNECT, writes=False))
    assert not {"Calendars.ReadWrite", "https://www.googleapis.com/auth/calendar.events.owned"} & set(asked)
    assert ada.client.get("/v1/me/calendar").json["permissions"] == asked


@pytest.mark.proves("B19")
def test_every_change_is_known_to_write_to_a_calendar_or_not_to(office: Office) -> None:
    rules = {
        rule.rule
        for rule in office.app.url_map.iter_rules()
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"} and "/admin/" not in rule.rule
    }
    assert rules == WRITING | OWN


@pytest.mark.proves("B19")
def test_whatever_would_write_is_refused_with_the_reason(office: Office, ada: Browser, declined: str) -> None:
    room = office.enter_rooms(ada.tenant, "two")[0]
    before = office.commands()
    wanted = {"title": "Planning", "date": "2030-01-02", "from": "10:00", "to": "11:00", "room": room}
    for answer in (
        take(ada, declined, room),
        ada.post("/v1/me/bookings", {**wanted}, Idempotency_Key="k"),
    ):
        assert (answer.status_code, answer.json["code"], answer.json["title"]) == (403, "writes-off", OBSERVING)
        assert "in your calendar" in answer.json["next"]
    form = {"csrf": ada.csrf, "key": "k", "roomId": room}
    by_form = ada.client.post(f"/prompts/{declined}/take", data=form)
    assert (by_form.status_code, OBSERVING in by_form.text.replace("&#39;", "'")) == (403, True)
    booked = ada.client.post("/book", data={"csrf": ada.csrf, "key": "k", **wanted})
    assert OBSERVING in booked.text.replace("&#39;", "'")
    assert office.commands() == before
    assert office.calendar.booked == {}


@pytest.mark.proves("B19")
def test_no_page_offers_to_write_and_the_prompt_leads_into_the_calendar(
    office: Office, ada: Browser, declined: str
) -> None:
    pages = {path: ada.client.get(path).text for path in (*PAGES, f"/prompts/{declined}")}
    for path, page in pages.items():
        offered = set(re.findall(r'<form[^>]{0,200}action="([^"]{1,200})"', page))
        assert not [each for each in offered if each == "/book" or each.endswith("/take")], path
        assert 'class="choice" type' not in page, path
        assert 'href="/book"' not in page, path
    shown = pages[f"/prompts/{declined}"]
    assert "Room one" in shown
    assert "said no" in shown
    assert "Room two" in shown, "what is free may be seen"
    assert f'href="{LINK}"' in shown
    assert "choose another room there" in shown
    [prompt] = ada.client.get("/v1/me/prompts").json["prompts"]
    assert (prompt["open"], prompt["link"]) == (True, LINK)
    assert "only observes" in pages["/profile"]
    assert ada.client.get("/v1/me").json["writing"] == "off"


@pytest.mark.proves("B19")
def test_a_prompt_can_still_be_put_away(ada: Browser, declined: str) -> None:
    assert ada.post(f"/v1/me/prompts/{declined}/dismiss").json["closed"] == "dismissed"
    assert ada.client.get("/v1/me/prompts").json["prompts"] == []


@pytest.mark.proves("B19")
def test_with_writes_on_whoever_permitted_reading_is_asked_when_they_want_to_write_and_reads_until_then(
    office: Office, ada: Browser, declined: str
) -> None:
    two = office.enter_rooms(ada.tenant, "two")[0]
    on = restarted(office, ada, "on")
    assert on.client.get("/v1/me").json["writing"] == "reconnect"
    assert [each["id"] for each in on.client.get("/v1/me/prompts").json["prompts"]] == [declined]
    refused = take(on, declined, two)
    assert (refused.status_code, refused.json["code"]) == (409, "read-only-permission")
    for path in (f"/prompts/{declined}", "/profile", "/book"):
        page = on.client.get(path).text
        assert 'action="/profile/connect"' in page, path
        assert "connect again" in page, path
        assert 'class="choice" type' not in page, path
    assert "connect again" not in on.client.get("/day").text

    calendars = tables.consents(office.engine.registry)
    permitted = calendars.get(ada.tenant, ada.mailbox)
    assert permitted is not None
    calendars.put(ada.tenant, ada.mailbox, msgspec.structs.replace(permitted, state=ConsentState.REVOKED))
    page = on.client.get("/book").text
    assert "not connected" in page
    assert "connect again" not in page, "one thing to do is said once"
    calendars.put(ada.tenant, ada.mailbox, permitted)

    again = on.come_back(office.simulator.follow(on.connecting()))
    assert again.status_code == 303, again.text
    assert on.client.get("/v1/me").json["writing"] == "on"
    assert take(on, declined, two).status_code == 202
    off = restarted(office, on, "off")
    assert off.client.get("/v1/me").json["writing"] == "off"
    assert take(off, declined, two, "k2").json["code"] == "writes-off"
