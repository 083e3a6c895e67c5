"""An employee's day over the real pages and API, with a calendar that the test holds."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest

from shared.contracts.command import Command, Reconcile
from shared.contracts.envelope import decode, payload_of
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import AttendanceRow
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.sighting import AgendaItem, Availability, LiveAttendee
from shared.errors import RefusedError
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office
from tests.support.emptiness import found, in_files

TITLE = "Zebra council of the week"
STRANGER = "Fritzi Fernweh"


def item(office: Office, hours: float, **more: Any) -> AgendaItem:
    start_ms = (office.clock.now_ms() // HOUR_MS) * HOUR_MS + int(hours * HOUR_MS)
    fields: dict[str, Any] = {
        "event_id": f"e-{hours}", "uid": f"uid-{hours}", "slot": "", "title": TITLE, "all_day": False, "private": False,
        "declined": False, "is_organizer": True, "attendees": (),
    }  # fmt: skip
    return AgendaItem(start_ms=start_ms, end_ms=start_ms + HOUR_MS, **{**fields, **more})


def hours_to_midnight(office: Office) -> int:
    return 24 - (office.clock.now_ms() // HOUR_MS) % 24  # UTC


def guest(name: str, address: str, answer: str = "accepted") -> LiveAttendee:
    return LiveAttendee(name, address, is_room=False, answer=answer)


def agenda(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    answer = browser.client.get(f"/v1/me/agenda{query}")
    assert answer.status_code == 200, answer.text
    return [each for day in answer.json["days"] for each in day["items"]]


@pytest.mark.proves("E2", "E33")
def test_the_agenda_is_the_next_fourteen_days_in_order_and_no_title_is_kept(office: Office, ada: Browser) -> None:
    office.calendar.planned = [item(office, 30), item(office, 26), item(office, 15 * 24)]
    days = ada.client.get("/v1/me/agenda").json["days"]
    assert len(days) == 14
    assert [each["eventId"] for day in days for each in day["items"]] == ["e-26", "e-30"]
    assert TITLE in ada.client.get("/day").text
    assert found(in_files(office.home), [TITLE]) == []


@pytest.mark.proves("E2")
def test_days_and_times_are_those_of_the_browser(office: Office, ada: Browser) -> None:
    office.calendar.planned = [item(office, 26)]
    ada.client.set_cookie("roomsync_zone", "Pacific/Auckland")
    page = ada.client.get("/day").text
    assert "Pacific/Auckland" in page
    there, here = agenda(ada)[0]["localStart"], agenda(ada, "?zone=UTC")[0]["localStart"]
    assert there != here
    assert "since your browser has not said" in ada.client.get("/day?zone=Nowhere").text or there in page


@pytest.mark.proves("E5", "S9")
def test_colleagues_and_guests_are_told_apart_and_shown_live_only(
    office: Office, ada: Browser, ben: Browser, domain: str
) -> None:
    people = (guest("Ben", f"ben@{domain}"), guest(STRANGER, "fritzi@elsewhere.example", "none"))
    office.calendar.planned = [item(office, 26, attendees=people)]
    [each] = agenda(ada)
    assert [(who["name"], who["kind"], who["answer"]) for who in each["attendees"]] == [
        ("Ben", "colleague", "accepted"),
        (STRANGER, "guest", "none"),
    ]
    page = ada.client.get("/day").text
    assert STRANGER in page
    assert "No answer yet" in page
    assert found(in_files(office.home), [STRANGER, "fritzi@elsewhere"]) == []
    assert ben.user


@pytest.mark.proves("E7")
def test_a_place_is_what_somebody_said_themselves_and_never_guessed(
    office: Office, ada: Browser, ben: Browser, domain: str
) -> None:
    people = (guest("Ben", f"ben@{domain}"), guest(STRANGER, "fritzi@elsewhere.example"))
    office.calendar.planned = [item(office, 26, attendees=people)]

    def places() -> list[str]:
        return [who["place"] for who in agenda(ada, "?zone=UTC")[0]["attendees"]]

    assert places() == ["unknown", "unknown"]
    [day] = [day["date"] for day in ada.client.get("/v1/me/agenda?zone=UTC").json["days"] if day["items"]]
    mark(ben, day, "office")
    assert places() == ["office", "unknown"]
    meeting = agenda(ada)[0]
    path = f"/v1/me/attendances/{meeting['meetingRef']}/{meeting['occurrenceRef']}"
    headers = {"X-CSRF-Token": ben.csrf}
    assert ben.client.put(path, json={"place": "remote", "end": meeting["end"]}, headers=headers).status_code == 204
    assert places() == ["remote", "unknown"]
    assert ben.client.delete(path, headers=headers).status_code == 204
    assert places() == ["office", "unknown"]


@pytest.mark.proves("B26", "E7")
def test_what_an_earlier_version_kept_of_a_date_is_read_and_goes_with_the_next_word(
    office: Office, ada: Browser, ben: Browser, domain: str
) -> None:
    office.calendar.planned = [item(office, 26, attendees=(guest("Ben", f"ben@{domain}"),))]
    meeting = agenda(ada)[0]
    table, row = tables.attendances(office.engine.registry), AttendanceRow(place="remote", user=ben.user)
    person = office.keys(ben.tenant).person(f"ben@{domain}")
    table.put(ben.tenant, f"{meeting['meetingRef']}/{meeting['occurrenceRef']}/{person}", row)
    assert agenda(ada)[0]["attendees"][0]["place"] == "remote"
    path = f"/v1/me/attendances/{meeting['meetingRef']}/{meeting['occurrenceRef']}"
    said = {"place": "office", "end": meeting["end"]}
    assert ben.client.put(path, json=said, headers={"X-CSRF-Token": ben.csrf}).status_code == 204
    assert agenda(ada)[0]["attendees"][0]["place"] == "office"
    assert [row_id.rpartition("/")[2] for row_id, _ in table.scan(ben.tenant)] == [ben.user]


def mark(browser: Browser, day: str, place: str) -> None:
    answer = browser.client.put(
        f"/v1/me/office-days/{day}", json={"place": place}, headers={"X-CSRF-Token": browser.csrf}
    )
    assert answer.status_code == 204, answer.text


@pytest.mark.proves("E4")
def test_an_office_day_is_our_own_data_and_no_provider_hears_of_it(office: Office, ada: Browser) -> None:
    first, second, third = (ahead(office, days) for days in (10, 11, 12))
    asked = list(office.calendar.asked_by)
    mark(ada, first, "office")
    form = {"csrf": ada.csrf, "date": second, "place": "remote"}
    assert ada.client.post("/day/place", data=form).status_code == 303
    assert office.calendar.asked_by == asked
    places = {d["date"]: d["place"] for d in ada.client.get(f"/v1/me/agenda?from={first}&days=3").json["days"]}
    assert places == {first: "office", second: "remote", third: "unknown"}
    assert ada.client.delete(f"/v1/me/office-days/{first}", headers={"X-CSRF-Token": ada.csrf}).status_code == 204
    assert ada.client.get(f"/v1/me/agenda?from={first}&days=1").json["days"][0]["place"] == "unknown"


@pytest.mark.proves("E4")
def test_a_day_that_is_marked_is_marked_and_one_too_long_ago_is_refused(office: Office, ada: Browser) -> None:
    recent, old = ahead(office, -58), ahead(office, -62)
    mark(ada, recent, "office")
    assert ada.client.get(f"/v1/me/agenda?from={recent}&days=1").json["days"][0]["place"] == "office"
    refused = ada.client.post("/day/place", data={"csrf": ada.csrf, "date": old, "place": "office"})
    assert refused.status_code == 422
    assert "longer ago" in refused.text


def ahead(office: Office, days: int) -> str:
    return datetime.fromtimestamp(office.clock.now_ms() / 1000 + days * 86_400, tz=UTC).date().isoformat()


@pytest.mark.proves("E35")
def test_ones_own_private_items_are_marked_and_others_see_nothing_of_them(
    office: Office, ada: Browser, ben: Browser
) -> None:
    office.calendar.planned = [item(office, 26, private=True)]
    assert agenda(ada)[0]["private"]
    assert "Private" in ada.client.get("/day").text
    office.calendar.planned = []  # what the provider shows to Ben
    assert agenda(ben) == []
    assert sum(day["meetings"] for day in ben.client.get("/v1/me/month").json["days"]) == 0


@pytest.mark.proves("E6")
def test_the_month_counts_what_the_rule_says_and_links_each_day(office: Office, ada: Browser) -> None:
    month = ada.client.get("/v1/me/month?month=2027-02").json
    assert len(month["days"]) == 28
    assert "declined" in month["rule"]
    day = hours_to_midnight(office)
    office.calendar.planned = [item(office, day + 1), item(office, day + 2, declined=True), item(office, day + 3)]
    shown = ada.client.get("/v1/me/agenda?zone=UTC").json["days"][1]
    assert shown["meetings"] == 2
    page = ada.client.get(f"/month?month={shown['date'][:7]}&zone=UTC").text
    assert f'href="/day?from={shown["date"]}"' in page
    assert "2 meetings" in page


@pytest.mark.proves("E2")
def test_a_meeting_of_days_leaves_no_day_looking_empty_and_says_since_when_it_lasts(
    office: Office, ada: Browser
) -> None:
    retreat = item(office, hours_to_midnight(office) + 6)  # from six in the morning, so that it ends on a fourth day
    office.calendar.planned = [dataclasses.replace(retreat, end_ms=retreat.start_ms + 3 * DAY_MS)]
    days = ada.client.get("/v1/me/agenda?zone=UTC&days=7").json["days"]
    [begins] = [day["date"] for day in days if day["items"]]
    assert sum(bool(day["goesOn"]) for day in days) == 3
    midst = (date.fromisoformat(begins) + timedelta(days=1)).isoformat()
    assert "Nothing planned" not in ada.client.get(f"/day?zone=UTC&from={begins}&days=3").text
    [shown] = ada.client.get(f"/v1/me/agenda?zone=UTC&from={midst}&days=1").json["days"][0]["items"]
    assert shown["since"] == begins
    page = ada.client.get(f"/day?zone=UTC&from={midst}&days=1").text
    assert f"Since {date.fromisoformat(begins):%A %-d %B}, " in page
    first = ada.client.get(f"/day?zone=UTC&from={begins}&days=1").text
    ends = date.fromisoformat(begins) + timedelta(days=3)
    [span] = re.findall(r'<p class="meta">(.*?)</p>', first)
    assert re.sub(r"<[^>]*>", "", span).strip().startswith(f"06:00 until {ends:%A %-d %B}, 06:00")


@pytest.mark.proves("E42")
def test_rooms_stand_in_the_agenda_with_their_states(office: Office, ada: Browser) -> None:
    [room] = office.enter_rooms(ada.tenant, "one")
    office.show(office.meeting(ada, office.room(ada, room, RoomState.PENDING)), ada.tenant)
    office.calendar.planned = [item(office, 26, event_id="event-of-m-planning")]
    assert agenda(ada)[0]["rooms"][0]["state"] == "pending"
    assert "booked" not in json.dumps(agenda(ada)[0]["rooms"]).lower()


def test_while_the_calendar_is_away_the_page_says_so(office: Office, ada: Browser) -> None:
    office.calendar.away = True
    for path in ("/day", "/month"):
        page = ada.client.get(path)
        assert page.status_code == 200
        assert "could not be asked just now" in page.text
    assert ada.client.get("/v1/me/agenda").status_code == 503


WISH = {"title": TITLE, "from": "10:00", "to": "11:00", "guests": "ben@x.example"}


def a_booking(office: Office, **more: Any) -> dict[str, Any]:
    day = datetime.fromtimestamp((office.clock.now_ms() + 2 * DAY_MS) / 1000, tz=UTC).date().isoformat()
    return {**WISH, "date": day, **more}


@pytest.mark.proves("E3", "E42")
def test_a_booking_goes_into_ones_own_calendar_once_and_is_pending_never_booked(office: Office, ada: Browser) -> None:
    one, two = office.enter_rooms(ada.tenant, "one", "two")
    sent = a_booking(office, room=two)
    made = ada.post("/v1/me/bookings?zone=UTC", sent, Idempotency_Key="k1")
    assert made.status_code == 201, made.text
    assert (made.json["state"], made.json["label"]) == ("pending", "free now, not confirmed")
    assert ada.post("/v1/me/bookings?zone=UTC", sent, Idempotency_Key="k1").json["eventId"] == made.json["eventId"]
    [meeting] = office.calendar.booked.values()
    assert [room.address for room in meeting.rooms] == ["two@rooms.test"]
    assert meeting.attendees == ("ben@x.example",)
    wishes = [payload_of(decode(value), Command) for _, _, value in office.commands()]  # type: ignore[arg-type]
    assert any(isinstance(each, Reconcile) for each in wishes)
    assert found(in_files(office.home), [TITLE]) == []
    assert one != two
    refused = ada.post("/v1/me/bookings?zone=UTC", sent)
    assert (refused.status_code, refused.json["code"]) == (400, "idempotency-key-missing")
    assert len(office.calendar.booked) == 1


@pytest.mark.proves("E3")
@pytest.mark.parametrize("over", ["the form", "the API"])
def test_any_free_room_asked_for_twice_is_one_meeting_although_its_room_is_busy_by_then(
    office: Office, ada: Browser, over: str
) -> None:
    [one] = office.enter_rooms(ada.tenant, "one")
    office.calendar.said = {"one@rooms.test": Availability.FREE}
    sent = a_booking(office)
    for _ in range(2):
        if over == "the form":
            answer = ada.client.post("/book?zone=UTC", data={"csrf": ada.csrf, "key": "k", **sent})
            assert answer.status_code == 303, answer.text
        else:
            answer = ada.post("/v1/me/bookings?zone=UTC", sent, Idempotency_Key="k")
            assert (answer.status_code, answer.json["roomId"]) == (201, one), answer.text
        office.calendar.said = {"one@rooms.test": Availability.BUSY}
    assert len(office.calendar.booked) == 1


@pytest.mark.proves("E3")
@pytest.mark.parametrize(
    ("query", "cookie", "zone"),
    [
        pytest.param("?zone=Pacific/Auckland", "", "Pacific/Auckland", id="by the address"),
        pytest.param("", "Pacific/Auckland", "Pacific/Auckland", id="by a cookie that has changed since"),
        pytest.param("", "", "UTC", id="by nobody, until the form was shown"),
    ],
)
def test_times_are_booked_in_the_zone_that_the_form_said(
    office: Office, ada: Browser, query: str, cookie: str, zone: str
) -> None:
    [one] = office.enter_rooms(ada.tenant, "one")
    ada.client.set_cookie("roomsync_zone", cookie)
    page = ada.client.get(f"/book{query}").text
    ada.client.set_cookie("roomsync_zone", "Europe/Zurich")
    assert f"Times are in {zone}" in page
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.partition('action="/book"')[2]))
    sent = a_booking(office, room=one)
    assert ada.client.post("/book", data={**sent, **hidden}).status_code == 303
    [meeting] = office.calendar.booked.values()
    there = datetime.fromtimestamp(meeting.start_ms / 1000, tz=ZoneInfo(zone))
    assert there.strftime("%Y-%m-%d %H:%M") == f"{sent['date']} 10:00"


@pytest.mark.proves("E3")
def test_form_that_is_changed_and_sent_again_books_what_it_says_now(office: Office, ada: Browser) -> None:
    """The first answer got lost on its way: its meeting stands, and the second must not be told of as if it were it."""
    [one] = office.enter_rooms(ada.tenant, "one")
    first, second = a_booking(office, room=one), a_booking(office, room=one, to="11:30")
    for sent in (first, second):
        assert ada.client.post("/book?zone=UTC", data={"csrf": ada.csrf, "key": "k", **sent}).status_code == 303
    lengths = sorted(each.end_ms - each.start_ms for each in office.calendar.booked.values())
    assert lengths == [HOUR_MS, HOUR_MS * 3 // 2]


def test_form_that_the_calendar_refused_is_a_fresh_wish_the_next_time(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        message = "made before, and cancelled since"
        raise RefusedError(message)

    [one] = office.enter_rooms(ada.tenant, "one")
    monkeypatch.setattr(office.calendar, "book", refuse)
    page = ada.client.post(
        "/book", data={"csrf": ada.csrf, "key": "key-of-the-form", **a_booking(office, room=one)}
    ).text
    assert "refuses this" in page
    assert "key-of-the-form" not in page
    office.calendar.away = True
    monkeypatch.undo()
    page = ada.client.post(
        "/book", data={"csrf": ada.csrf, "key": "key-of-the-form", **a_booking(office, room=one)}
    ).text
    assert "key-of-the-form" in page, "it may have been made: to send it again must not make another"


@pytest.mark.proves("E41")
def test_the_form_offers_what_is_free_as_not_confirmed_and_says_that_guests_are_mailed(
    office: Office, ada: Browser
) -> None:
    office.enter_rooms(ada.tenant, "one", "two")
    office.calendar.said = {"one@rooms.test": Availability.BUSY, "two@rooms.test": Availability.FREE}
    assert "will mail everybody you invite" in ada.client.get("/book").text
    page = ada.client.post("/book/rooms", data={"csrf": ada.csrf, **a_booking(office)}).text
    assert "not confirmed" in page
    assert re.findall(r"<strong>(Room \w+)</strong>", page) == ["Room two"]
    booked = ada.client.post("/book", data={"csrf": ada.csrf, "key": "k", **a_booking(office)})
    assert booked.status_code == 303, booked.text
    assert "pending until it answers" in ada.client.get(booked.headers["Location"]).text
    [meeting] = office.calendar.booked.values()
    assert meeting.rooms[0].address == "two@rooms.test"


@pytest.mark.proves("S7")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"room": "r-nothere"}, 404, "no-such-room"),
        ({"to": "09:00"}, 422, "booking-time"),
        ({"title": ""}, 422, "booking-title"),
        ({"calendar": "somebody@else.example", "room": "somebody@else.example"}, 404, "no-such-room"),
    ],
)
def test_what_may_not_be_booked_never_reaches_the_provider(
    office: Office, ada: Browser, change: dict[str, Any], status: int, code: str
) -> None:
    office.enter_rooms(ada.tenant, "one")
    asked = list(office.calendar.asked_by)
    refused = ada.post("/v1/me/bookings", a_booking(office, **change), Idempotency_Key="k")
    assert (refused.status_code, refused.json["code"]) == (status, code)
    shown = ada.client.post("/book", data={"csrf": ada.csrf, "key": "k", **a_booking(office, **change)})
    assert 'role="alert"' in shown.text
    assert office.calendar.asked_by == asked
    assert office.calendar.booked == {}


def test_calendar_that_refuses_is_told_as_that_and_not_as_our_fault(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        message = "403 insufficientPermissions"
        raise RefusedError(message)

    monkeypatch.setattr(office.calendar, "agenda", refuse)
    answer = ada.client.get("/v1/me/agenda")
    assert (answer.status_code, answer.json["code"]) == (409, "calendar-refuses")
    assert "Connect your calendar again" in answer.json["next"]
    assert "refuses this" in ada.client.get("/day").text


@pytest.mark.proves("S7", "S8")
def test_a_calendar_that_is_not_connected_is_written_by_nobody(office: Office, ada: Browser, ben: Browser) -> None:
    office.enter_rooms(ada.tenant, "one")
    tables.consents(office.engine.registry).delete(ada.tenant, ada.mailbox)
    asked = list(office.calendar.asked_by)
    refused = ada.post("/v1/me/bookings", a_booking(office), Idempotency_Key="k")
    assert (refused.status_code, refused.json["code"]) == (409, "not-connected")
    assert ada.client.get("/v1/me/agenda").status_code != 200
    assert "not connected" in ada.client.get("/day").text
    assert office.calendar.asked_by == asked
    assert agenda(ben) == []  # Ben's own, under his own grant
    assert len(office.calendar.asked_by) == len(asked) + 1


@pytest.mark.parametrize(
    "path",
    ["/v1/me/agenda?from=yesterday", "/v1/me/agenda?days=0", "/v1/me/agenda?days=63", "/v1/me/month?month=13-2026",
     "/v1/me/month?month=0001-01", "/v1/me/agenda?from=9999-12-31"],
)  # fmt: skip
def test_what_is_no_day_is_refused_with_what_to_write(ada: Browser, path: str) -> None:
    refused = ada.client.get(path)
    assert refused.status_code == 422
    assert refused.json["next"]


def test_what_is_no_place_and_no_meeting_is_refused(ada: Browser) -> None:
    headers = {"X-CSRF-Token": ada.csrf}
    wrong = ada.client.put("/v1/me/office-days/2026-12-01", json={"place": "moon"}, headers=headers)
    assert wrong.json["code"] == "place-invalid"
    wrong = ada.client.put("/v1/me/attendances/m-x/o-y", json={"place": "office"}, headers=headers)
    assert wrong.json["code"] == "meeting-invalid"


@pytest.mark.parametrize("path", ["/day?from=2026-12-01&days=3", "/month?month=2027-02", "/book"])
def test_whoever_signs_in_first_comes_back_to_the_very_page(office: Office, path: str) -> None:
    sent = office.browser().client.get(path)
    assert sent.status_code == 303
    assert parse_qs(urlsplit(sent.headers["Location"]).query) == {"next": [path]}


def test_booking_form_says_what_is_wrong_where_rooms_are_known_and_none_is_connected(
    office: Office, ada: Browser
) -> None:
    [one] = office.enter_rooms(ada.tenant, "one")
    tables.rooms(office.engine.registry).change(
        ada.tenant, one, lambda row: msgspec.structs.replace(row, paired=False) if row else None
    )
    page = ada.client.post("/book/rooms", data={"csrf": ada.csrf, **a_booking(office)}).text
    assert "There is no room to choose from. An administrator can enter rooms, and connect them." in page


@pytest.mark.proves("E2", "E6")
def test_day_stands_on_an_axis_with_its_week_and_all_of_it_is_one_read(office: Office, ada: Browser) -> None:
    tomorrow = hours_to_midnight(office)
    office.calendar.planned = [
        item(office, tomorrow + 9),
        item(office, tomorrow + 9.5, event_id="beside", title="Heron council"),
        item(office, tomorrow + 24 + 10),
    ]
    asked = len(office.calendar.asked_by)
    day = ahead(office, 1)
    page = ada.client.get(f"/day?zone=UTC&from={day}").text
    assert len(office.calendar.asked_by) == asked + 1
    blocks = re.findall(r'<li class="(from-[^"]+)"><a href="#(m-[^"]+)"', page)
    assert blocks == [
        ("from-h9 from-m0 to-h10 to-m0 lane-0 lanes-2", f"m-{day}-0"),
        ("from-h9 from-m6 to-h10 to-m6 lane-1 lanes-2", f"m-{day}-1"),
    ]
    assert all(f'id="{target}"' in page for _, target in blocks)
    strip = page.partition('<ol class="week">')[2].partition("</ol>")[0]
    assert len(re.findall(r'href="/day\?from=', strip)) == 7
    assert re.findall(r'href="/day\?from=([^"]+)" aria-current="date"', strip) == [day]
    assert "2 meetings" in strip
    assert "data-now" not in page
    assert "data-now" in ada.client.get("/day?zone=UTC").text
    assert " style=" not in page


@pytest.mark.proves("E2")
def test_hours_and_weeks_of_the_axis_are_written_as_their_reader_does(office: Office, ada: Browser) -> None:
    del office
    american = ada.client.get("/day?zone=UTC", headers={"Accept-Language": "en-US"}).text
    assert "9:00 AM" in american
    begins = [
        date.fromisoformat(re.findall(r'class="week">\s*<li><a href="/day\?from=([^"]+)"', page)[0]).weekday()
        for page in (american, ada.client.get("/day?zone=UTC", headers={"Accept-Language": "de-CH"}).text)
    ]
    assert begins == [6, 0]


def press(browser: Browser, page: str, name: str, value: str, **more: str) -> str:
    """Send a booking form as a browser does when that button is pressed; the page that comes."""
    form = page.partition('action="/book"')[2]
    assert f'name="{name}" value="{value}"' in form, form
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields = dict(re.findall(r'<input name="(\w+)" (?:[^>]* )?value="([^"]*)"', form))
    return browser.client.post("/book/rooms", data={**fields, **hidden, name: value, **more}).text


@pytest.mark.proves("E3")
def test_form_proposes_what_is_to_come_and_its_buttons_fill_it_in(office: Office, ada: Browser) -> None:
    office.enter_rooms(ada.tenant, "one")
    office.calendar.said = {"one@rooms.test": Availability.FREE}
    page = ada.client.get("/book?zone=UTC").text
    now = datetime.fromtimestamp(office.clock.now_ms() / 1000, tz=UTC)
    proposed = re.findall(r'name="time" value="([^/"]+)/([^/"]+)/([^/"]+)"', page)
    assert proposed
    for day, begins, _ in proposed:
        assert datetime.fromisoformat(f"{day}T{begins}+00:00") > now
    assert f'name="date" type="date" required min="{now.date()}" value="{proposed[0][0]}"' in page
    assert re.findall(r'name="minutes" value="(\d+)"', page) == ["15", "30", "45", "60", "90", "120"]
    day, begins = ahead(office, 2), "10:00"
    chosen = press(ada, page, "minutes", "45", title=TITLE, date=day, **{"from": begins})
    assert 'name="to" type="time" required value="10:45"' in chosen
    assert f'value="{TITLE}"' in chosen
    assert 'value="45" aria-pressed="true"' in chosen


@pytest.mark.proves("E3")
def test_form_comes_without_a_gap_while_the_calendar_is_away(office: Office, ada: Browser) -> None:
    office.calendar.away = True
    page = ada.client.get("/book?zone=UTC")
    assert page.status_code == 200
    assert len(re.findall(r'name="time"', page.text)) == 1


@pytest.mark.proves("E3")
def test_free_rooms_are_chosen_by_building_and_a_button_books_the_one_that_is_chosen(
    office: Office, ada: Browser
) -> None:
    one, two = office.enter_rooms(ada.tenant, "one", "two")
    tables.rooms(office.engine.registry).change(
        ada.tenant, two, lambda row: msgspec.structs.replace(row, building="South") if row else None
    )
    office.calendar.said = {"one@rooms.test": Availability.FREE, "two@rooms.test": Availability.FREE}
    page = ada.client.post("/book/rooms", data={"csrf": ada.csrf, **a_booking(office)}).text
    assert re.findall(r"<legend>(\w+)</legend>", page.partition("rooms-free")[2]) == ["North", "South"]
    assert re.findall(r'type="radio" name="room" value="([^"]+)"( checked)?', page) == [(one, " checked"), (two, "")]
    sent = a_booking(office, room=two)
    booked = ada.client.post("/book?zone=UTC", data={"csrf": ada.csrf, "key": "k", **sent})
    shown = booked.headers["Location"]
    assert shown == f"/day?from={sent['date']}&done=booked&room={two}"
    assert "Room two has been asked" in ada.client.get(shown).text
    assert [each.rooms[0].address for each in office.calendar.booked.values()] == ["two@rooms.test"]


@pytest.mark.proves("E3")
def test_where_no_room_is_free_the_nearest_times_fill_in_the_form(office: Office, ada: Browser) -> None:
    office.enter_rooms(ada.tenant, "one")
    office.calendar.said = {"one@rooms.test": Availability.BUSY}
    office.calendar.busy = {"one@rooms.test": []}
    asked = len(office.calendar.asked_by)
    sent = a_booking(office)
    page = ada.client.post("/book/rooms?zone=UTC", data={"csrf": ada.csrf, **sent}).text
    assert "none" in page.lower()
    times = re.findall(r'name="time" value="([^/"]+)/([^/"]+)/([^/"]+)"', page)
    assert len(times) == 3
    assert all(date.fromisoformat(day).weekday() < 5 for day, _, _ in times)
    assert len(office.calendar.asked_by) == asked + 2, "one free/busy of a week and one agenda"
    office.calendar.said = {"one@rooms.test": Availability.FREE}
    chosen = press(ada, page, "time", "/".join(times[1]), title=TITLE)
    assert f'name="from" type="time" required value="{times[1][1]}"' in chosen
    assert "Room one" in chosen
    office.calendar.said = {"one@rooms.test": Availability.BUSY}
    refused = ada.client.post("/book?zone=UTC", data={"csrf": ada.csrf, "key": "k", **sent}).text
    assert len(re.findall(r'name="time" value="[^"]+"', refused)) == 3
    assert office.calendar.booked == {}
