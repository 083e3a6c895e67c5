"""Filters of the rooms to take and to book: in JSON and on pages, without a script, and a way on where nothing is left."""

from __future__ import annotations

import html
import re
from typing import Any

import msgspec
import pytest

from shared.contracts.meeting_state import RoomState
from shared.domain.keys import pseudonym
from shared.domain.sighting import Availability
from shared.registry import tables
from tests.integration.services.portal.my_day.test_pages import a_booking
from tests.integration.services.portal.office import Browser, Office

NAMES = ("one", "two", "three", "four")


@pytest.fixture
def rooms(office: Office, ada: Browser) -> list[str]:
    """All free: the second one has a screen, the third one a wheelchair gets into, the fourth one is elsewhere."""
    found = office.enter_rooms(ada.tenant, *NAMES)
    _, two, three, four = found
    change(office, ada, two, equipment=("Screen", "Phone"), floor="2")
    change(office, ada, three, accessible=True, capacity=20)
    change(office, ada, four, building="South", floor="9", equipment=("Screen",), accessible=True)
    office.calendar.said = {f"{name}@rooms.test": Availability.FREE for name in NAMES}
    return found


@pytest.fixture
def declined(office: Office, ada: Browser, rooms: list[str]) -> str:
    room = office.room(ada, rooms[0], RoomState.DECLINED)
    office.show(office.meeting(ada, room), ada.tenant)
    return room.decline_id


def change(office: Office, browser: Browser, room: str, **fields: Any) -> None:
    tables.rooms(office.engine.registry).change(
        browser.tenant, room, lambda row: msgspec.structs.replace(row, **fields) if row else None
    )


def names(page: str) -> list[str]:
    return re.findall(r'class="choice".*?<strong>(.*?)</strong>', page)


@pytest.mark.proves("D8")
@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("", {"Room two", "Room three", "Room four"}),
        ("building=South", {"Room four"}),
        ("building=North&floor=2", {"Room two"}),
        ("seats=9", {"Room three"}),
        ("equipment=screen", {"Room two", "Room four"}),
        ("equipment=Screen&equipment=Phone", {"Room two"}),
        ("accessible=1", {"Room three", "Room four"}),
        ("accessible=1&equipment=Screen", {"Room four"}),
    ],
)
def test_rooms_to_take_and_to_book_are_those_that_the_filters_ask_for(
    office: Office, ada: Browser, declined: str, query: str, offered: set[str]
) -> None:
    taken = ada.client.get(f"/v1/me/prompts/{declined}/choices?{query}").json
    assert {each["name"] for each in taken["choices"]} == offered
    assert set(names(ada.client.get(f"/prompts/{declined}?{query}").text)) == offered

    if "seats" not in query:  # of a booking, how many people there are says it
        when = a_booking(office)
        where = f"/v1/me/bookings/rooms?zone=UTC&date={when['date']}&from={when['from']}&to={when['to']}&{query}"
        booked = ada.client.get(where).json
        assert {each["name"] for each in booked["choices"]} - {"Room one"} == offered


@pytest.mark.proves("D8")
def test_page_of_a_prompt_has_the_filters_as_a_form_that_needs_no_script(ada: Browser, declined: str) -> None:
    page = ada.client.get(f"/prompts/{declined}?building=North&equipment=Screen").text.partition("<template")[0]

    form = page.partition(f'<form method="get" action="/prompts/{declined}"')[2].partition("</form>")[0]
    assert form.count("<option selected>North</option>") == 1
    assert re.findall(r'value="(\w+)"( checked)?', form.partition("data-equipment")[2].partition("</fieldset>")[0]) == [
        ("Phone", ""),
        ("Screen", " checked"),
    ]
    assert 'name="accessible" value="1">' in form
    assert '<details class="filters" data-filters open>' in page
    assert '<details class="filters" data-filters>' in ada.client.get(f"/prompts/{declined}").text


@pytest.mark.proves("D8")
def test_where_the_filters_leave_nothing_that_is_free_it_says_so_and_how_to_widen_them(
    office: Office, ada: Browser, declined: str
) -> None:
    path = f"{declined}?building=South&accessible=1&floor=1"
    found = ada.client.get(f"/v1/me/prompts/{path.replace('?', '/choices?')}").json
    assert (found["choices"], found["empty"]) == ([], "none-matches")
    assert {(*each["without"], each["rooms"], each["query"]) for each in found["wider"]} == {
        ("building", 1, "floor=1&accessible=1"),
        ("floor", 1, "building=South&accessible=1"),
    }

    page = ada.client.get(f"/prompts/{path}").text.partition("<template")[0]
    assert "No room that is large enough matches your filters." in page
    link = html.unescape(re.findall(r'class="chip" href="([^"]+)">Without “Floor”, 1 room is free\.', page)[0])
    assert names(ada.client.get(link).text) == ["Room four"]

    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.BUSY)
    none = ada.client.get(f"/v1/me/prompts/{declined}/choices?building=South").json
    assert (none["empty"], none["wider"]) == ("none-free", [])
    assert "No other room is known to be free then." in none["words"]


def test_times_that_are_offered_instead_are_those_of_rooms_as_the_filters_ask(
    office: Office, ada: Browser, declined: str
) -> None:
    office.calendar.said = dict.fromkeys(office.calendar.said, Availability.BUSY)
    office.calendar.busy = {address: [] for address in office.calendar.said}
    found = ada.client.get(f"/v1/me/prompts/{declined}/choices?zone=UTC&building=South").json
    assert {each["name"] for each in found["times"]} == {"Room four"}


@pytest.mark.proves("D8", "E3")
def test_booking_form_filters_rooms_widens_the_filters_and_books_only_what_they_ask_for(
    office: Office, ada: Browser, rooms: list[str]
) -> None:
    sent = {"csrf": ada.csrf, **a_booking(office)}
    page = ada.client.post("/book/rooms", data={**sent, "equipment": ["Screen", "Phone"]}).text
    assert re.findall(r"<bdi><strong>(.*?)</strong>", page) == ["Room two"]
    assert page.count('value="Screen" checked') == 1

    narrow = {**sent, "equipment": ["Screen", "Phone"], "accessible": "1", "building": "North"}
    none = ada.client.post("/book/rooms", data=narrow).text
    assert "No room that is large enough matches your filters." in none
    assert re.findall(r'name="without" value="(\w+)">Without “([\w ]+)”, 1 room is free', none) == [
        ("equipment", "Equipment"),
        ("accessible", "Wheelchair access"),
    ]
    wider = ada.client.post("/book/rooms", data={**narrow, "without": "accessible"}).text
    assert re.findall(r"<bdi><strong>(.*?)</strong>", wider) == ["Room two"]

    refused = ada.client.post("/book", data={**narrow, "key": "k"}).text
    assert "Without “Equipment”, 1 room is free." in html.unescape(refused)
    assert office.calendar.booked == {}
    booked = ada.post("/v1/me/bookings?zone=UTC", {**a_booking(office), "building": "South"}, Idempotency_Key="k2")
    assert (booked.status_code, booked.json["roomName"]) == (201, "Room four")


def test_rooms_to_name_in_a_booking_are_those_that_the_filters_ask_for(
    office: Office, ada: Browser, rooms: list[str]
) -> None:
    page = ada.client.get("/book?building=South").text
    assert re.findall(r'<option value="r-[^"]+">([^<]+)<', page) == ["Room four (seats 8)"]
    assert len(re.findall(r'<option value="r-[^"]+">', ada.client.get("/book").text)) == len(NAMES)


@pytest.mark.parametrize("query", ["seats=x", "accessible=2", f"building={'x' * 200}"])
def test_filter_that_cannot_be_used_is_refused_with_what_it_may_be(ada: Browser, declined: str, query: str) -> None:
    refused = ada.client.get(f"/v1/me/prompts/{declined}/choices?{query}")

    assert (refused.status_code, refused.json["code"]) == (422, "filter-invalid")
    assert refused.json["next"]


def test_booking_without_filters_has_the_id_that_it_had_before_there_were_any(office: Office, ada: Browser) -> None:
    """A key that was sent before an update, and is repeated after it, makes no second meeting."""
    [room] = office.enter_rooms(ada.tenant, "one")
    sent = a_booking(office, room=room)
    assert ada.post("/v1/me/bookings?zone=UTC", sent, Idempotency_Key="k").status_code == 201
    [(request_id, meeting)] = office.calendar.booked.items()
    fields = {
        "title": meeting.title,
        "start_ms": meeting.start_ms,
        "end_ms": meeting.end_ms,
        "room": room,
        "people": 2,
        "guests": list(meeting.attendees),
    }
    whose = (office.deps.session_key, "booking", ada.tenant, ada.user, "k")
    assert request_id == f"b-{pseudonym(*whose, msgspec.json.encode(fields).decode())}"
