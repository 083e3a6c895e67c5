"""An employee's day against the real clients and the simulated providers: what is shown is what the calendar holds, no more."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from shared.contracts.rows import RoomRow
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import from_rfc3339
from shared.organisations.enrolment import enter_rooms
from shared.providers.catalogue import calendar_providers
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.described_answers import described_portal
from tests.support.emptiness import found, in_files
from tests.support.waiting import wait_until

TITLE = "Heron watchers"
ZURICH = ZoneInfo("Europe/Zurich")


@pytest.fixture(params=["microsoft", "google"])
def provider(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def where(provider: str, domain: str) -> str:
    """The organisation's domain at the provider."""
    return domain if provider == "microsoft" else f"g.{domain}"


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator, provider: str) -> Iterator[Office]:
    """As elsewhere, but with the clients that production uses."""
    with an_office(tmp_path / "home", simulator) as held:
        deps = dataclasses.replace(held.deps, providers=calendar_providers(held.settings))
        yield dataclasses.replace(held, deps=deps, app=described_portal(deps))
        deps.providers[Provider(provider)].close()  # type: ignore[attr-defined]  # the port leaves it to the clients


@pytest.fixture
def ada(office: Office, provider: str, where: str) -> Browser:
    """In Zurich."""
    browser = office.signed_in(f"ada@{where}", provider)
    browser.client.set_cookie("roomsync_zone", ZURICH.key)
    return browser


def listed(simulator: Simulator, what: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{simulator.url}/sim/v1/{what}")
    answer.raise_for_status()
    name = what.partition("?")[0].rpartition("/")[2]
    rows: list[dict[str, Any]] = answer.json()[name]
    return rows


def user_id(simulator: Simulator, address: str) -> str:
    return next(str(each["id"]) for each in listed(simulator, "users") if each["address"] == address)


def read_events(simulator: Simulator, address: str) -> list[dict[str, Any]]:
    """What a mailbox truly holds, date by date."""
    return listed(simulator, f"users/{user_id(simulator, address)}/calendar")


def noon(days: int) -> datetime:
    """In so many days at noon in Zurich: never at the edge of a day there."""
    return datetime.now(ZURICH).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


def plan(simulator: Simulator, owner: str, days: int, title: str = TITLE, **more: Any) -> dict[str, Any]:
    start = noon(days).astimezone(UTC)
    end = start + timedelta(hours=1)
    return simulator.post(
        "meetings", organizer=owner, title=title, start=start.isoformat(), end=end.isoformat(), **more
    )


def whole_day(simulator: Simulator, owner: str, days: int) -> dict[str, Any]:
    day = datetime.combine(noon(days).date(), datetime.min.time(), tzinfo=UTC)
    return simulator.post(
        "meetings", organizer=owner, title=TITLE, start=day.isoformat(), end=(day + timedelta(days=2)).isoformat(),
        allDay=True, timeZone="UTC",
    )  # fmt: skip


def a_room(office: Office, browser: Browser, where: str, rules: dict[str, Any]) -> str:
    """Aare, known to the provider and to us; returns our id of it."""
    address = f"aare@rooms.{where}"
    tenant = next(each["id"] for each in listed(office.simulator, "tenants") if each["domain"] == where)
    office.simulator.post("rooms", tenant=tenant, name="Aare", address=address, capacity=4, rules=rules)
    enter_rooms(office.engine.registry, office.engine.keyring, browser.tenant, [RoomRow(address=address, name="Aare")])
    return office.keys(browser.tenant).room(address)


def agenda(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    answer = browser.client.get(f"/v1/me/agenda{query}")
    assert answer.status_code == 200, answer.text
    return [each for day in answer.json["days"] for each in day["items"]]


@pytest.mark.proves("E2")
def test_agenda_is_what_the_calendar_holds_for_fourteen_days_and_no_title_is_kept(
    office: Office, ada: Browser, where: str
) -> None:
    owner = f"ada@{where}"
    plan(office.simulator, owner, 3, "Heron third")
    plan(office.simulator, owner, 1, "Heron first", recurrence={"frequency": "weekly", "count": 3})
    plan(office.simulator, f"ben@{where}", 2, "Heron second", attendees=[owner])
    plan(office.simulator, f"ben@{where}", 2, "Heron of Ben alone")
    plan(office.simulator, owner, 14, "Heron of the fifteenth day")
    plan(office.simulator, owner, -1, "Heron of yesterday")
    first = noon(0).date()
    truth = [
        (entry["title"], from_rfc3339(entry["start"]))
        for entry in read_events(office.simulator, owner)
        if first <= datetime.fromisoformat(entry["start"]).astimezone(ZURICH).date() < first + timedelta(days=14)
    ]
    assert [(each["title"], from_rfc3339(each["start"])) for each in agenda(ada)] == truth
    assert [title for title, _ in truth] == ["Heron first", "Heron second", "Heron third", "Heron first"]
    assert {each["localStart"] for each in agenda(ada)} == {"12:00"}
    page = ada.client.get("/day").text
    assert "Heron second" in page
    assert "Heron of Ben alone" not in page
    assert found(in_files(office.home), ["Heron"]) == []


@pytest.mark.proves("E6")
def test_month_counts_what_the_calendar_holds(office: Office, ada: Browser, where: str) -> None:
    owner = f"ada@{where}"
    plan(office.simulator, owner, 1, recurrence={"frequency": "daily", "count": 20})
    plan(office.simulator, owner, 2)
    refused = plan(office.simulator, f"ben@{where}", 2, attendees=[owner])
    office.simulator.post(f"users/{user_id(office.simulator, owner)}/answers", meeting=refused["id"], answer="declined")
    whole_day(office.simulator, owner, 4)
    truth = Counter(
        datetime.fromisoformat(entry["start"]).astimezone(ZURICH).date().isoformat()
        for entry in read_events(office.simulator, owner)
        if entry["answer"] != "declined"
    )
    months = sorted({day[:7] for day in truth})
    shown: dict[str, int] = {}
    for month in months:
        shown |= {day["date"]: day["meetings"] for day in ada.client.get(f"/v1/me/month?month={month}").json["days"]}
    assert {day: count for day, count in shown.items() if count} == dict(truth)
    assert sum(truth.values()) == 22
    assert f'href="/day?from={months[0]}' in ada.client.get(f"/month?month={months[0]}").text


@pytest.mark.proves("E35", "E36")
def test_ones_own_private_item_is_marked_and_a_colleagues_is_neither_shown_nor_counted(
    office: Office, ada: Browser, where: str
) -> None:
    plan(office.simulator, f"ada@{where}", 1, "Heron of mine", sensitivity="private", visibility="private")
    plan(office.simulator, f"ben@{where}", 1, "Heron of Ben", sensitivity="private", visibility="private")
    assert [(each["title"], each["private"]) for each in agenda(ada)] == [("Heron of mine", True)]
    day = noon(1).date().isoformat()
    counted = {each["date"]: each["meetings"] for each in ada.client.get(f"/v1/me/month?month={day[:7]}").json["days"]}
    assert counted[day] == 1
    page = ada.client.get("/day").text
    assert "Private" in page
    assert "Heron of Ben" not in page


@pytest.mark.proves("E3", "E42", "S7")
def test_booking_makes_one_event_in_ones_own_calendar_with_the_room_invited(
    office: Office, ada: Browser, where: str
) -> None:
    address = f"aare@rooms.{where}"
    room = a_room(office, ada, where, {"mode": "manual", "delayMs": [0, 0]})
    day = noon(2).date().isoformat()
    sent = {"title": TITLE, "date": day, "from": "10:00", "to": "11:00", "room": room, "guests": f"ben@{where}"}
    for _ in range(2):
        made = ada.post("/v1/me/bookings", sent, Idempotency_Key="once")
        assert made.status_code == 201, made.text
        assert made.json["state"] == "pending"
    [entry] = read_events(office.simulator, f"ada@{where}")
    start = datetime.fromisoformat(entry["start"]).astimezone(ZURICH)
    assert (entry["answer"], f"{start:%Y-%m-%d %H:%M}") == ("organizer", f"{day} 10:00")
    [meeting] = [each for each in listed(office.simulator, "meetings") if each["id"] == entry["meeting"]]
    assert [each["address"] for each in meeting["rooms"]] == [address]
    assert f"ben@{where}" in {each["address"] for each in meeting["attendees"]}
    [shown] = agenda(ada)
    assert [(each["roomName"], each["state"]) for each in shown["rooms"]] == [("Aare", "pending")]
    assert found(in_files(office.home), [TITLE]) == []


@pytest.mark.proves("S6", "E41", "E42")
def test_room_that_refuses_leaves_the_meeting_in_ones_own_calendar_alone_and_is_never_shown_as_booked(
    office: Office, ada: Browser, where: str
) -> None:
    room = a_room(office, ada, where, {"mode": "forbid", "delayMs": [0, 0]})
    before = len(listed(office.simulator, "requests"))
    sent = {"title": TITLE, "date": noon(2).date().isoformat(), "from": "10:00", "to": "11:00", "room": room}
    made = ada.post("/v1/me/bookings", sent, Idempotency_Key="once")
    assert (made.status_code, made.json["state"]) == (201, "pending")
    [shown] = agenda(ada)
    assert [each["state"] for each in shown["rooms"]] == ["declined"]
    assert len(read_events(office.simulator, f"ada@{where}")) == 1
    [listing] = [each for each in listed(office.simulator, "rooms") if each["address"] == f"aare@rooms.{where}"]
    assert listed(office.simulator, f"rooms/{listing['id']}/calendar") == []
    asked = [each["path"] for each in listed(office.simulator, f"requests?after={before}")]
    assert [path for path in asked if "rooms." in path or "mailboxSettings" in path or "/acl" in path] == []


@pytest.mark.proves("S8", "E36")
def test_no_other_mailbox_is_ever_asked_for(office: Office, ada: Browser, provider: str, where: str) -> None:
    plan(office.simulator, f"ben@{where}", 1, attendees=[f"ada@{where}"])
    before = len(listed(office.simulator, "requests"))
    assert [each["title"] for each in agenda(ada)] == [TITLE]
    ada.client.get("/month")
    asked = listed(office.simulator, f"requests?after={before}")
    own = ("/me/", "/calendars/primary/")
    assert asked
    assert [each["path"] for each in asked if not any(part in each["path"] for part in own)] == []
    assert {each["user"] for each in asked} == {user_id(office.simulator, f"ada@{where}")}
    assert {each["provider"] for each in asked} == {provider}


@pytest.mark.proves("S9", "E5")
def test_attendees_are_shown_live_and_are_gone_with_the_connection(office: Office, ada: Browser, where: str) -> None:
    plan(office.simulator, f"ada@{where}", 1, attendees=[f"ben@{where}", "fritzi@elsewhere.example"])
    [each] = agenda(ada)
    kinds = {who["address"]: who["kind"] for who in each["attendees"]}
    assert kinds["fritzi@elsewhere.example"] == "guest"
    assert kinds[f"ben@{where}"] == "guest"  # he has not signed in yet
    office.signed_in(f"ben@{where}", "microsoft" if "g." not in where else "google")
    [each] = agenda(ada)
    assert {who["address"]: who["kind"] for who in each["attendees"]}[f"ben@{where}"] == "colleague"
    office.simulator.post(f"users/{user_id(office.simulator, f'ada@{where}')}/consents", granted=False)
    page = ada.client.get("/day").text
    assert "fritzi" not in page
    assert "not connected" in page
    assert found(in_files(office.home), ["fritzi@elsewhere", TITLE]) == []


@pytest.mark.proves("S9", "E17", "E31")
def test_whoever_disconnects_sees_no_attendees_and_the_grant_still_stands_at_the_provider(
    office: Office, ada: Browser, where: str
) -> None:
    plan(office.simulator, f"ada@{where}", 1, attendees=["fritzi@elsewhere.example"])
    assert "fritzi" in ada.client.get("/day").text
    before = listed(office.simulator, "requests")[-1]["seq"]
    ada.client.post("/profile/disconnect", data={"csrf": ada.csrf})
    leaving = ada.client.get("/day").text
    office.deps.broker.forget(Mailbox(ada.tenant, ada.mailbox))  # as the sync worker does once the subscription is gone
    gone = ada.client.get("/day").text
    for page in (leaving, gone):
        assert "not connected" in page
        assert "fritzi" not in page
        assert TITLE not in page
    assert listed(office.simulator, f"requests?after={before}") == []
    [grant] = listed(office.simulator, f"users/{user_id(office.simulator, f'ada@{where}')}/consents")
    assert grant["used"]


@pytest.mark.proves("E3")
def test_nearest_times_are_those_at_which_the_room_and_the_person_are_free_at_the_provider(
    office: Office, ada: Browser, where: str
) -> None:
    a_room(office, ada, where, {"delayMs": [0, 0]})
    days = next(n for n in range(2, 9) if noon(n).weekday() < 5)
    day = noon(days).date().isoformat()
    first = {"title": TITLE, "date": day, "from": "10:00", "to": "11:00"}
    [room] = [each for each in listed(office.simulator, "rooms") if each["address"] == f"aare@rooms.{where}"]
    taken = noon(days).astimezone(UTC) - timedelta(hours=2)
    office.simulator.post(
        "meetings", organizer=f"ben@{where}", title="Heron of Ben", start=taken.isoformat(),
        end=(taken + timedelta(hours=1)).isoformat(), rooms=[room["address"]],
    )  # fmt: skip
    busy = noon(days).astimezone(UTC) - timedelta(hours=1)
    office.simulator.post(
        "meetings", organizer=f"ada@{where}", title="Heron of mine", start=busy.isoformat(),
        end=(busy + timedelta(hours=1)).isoformat(),
    )  # fmt: skip
    wait_until("the room's answer", lambda: bool(listed(office.simulator, f"rooms/{room['id']}/calendar")))
    page = ada.client.post("/book/rooms", data={"csrf": ada.csrf, **first}).text
    assert re.findall(r'name="time" value="([^"]+)"', page) == [
        f"{day}/09:00/10:00", f"{day}/08:30/09:30", f"{day}/08:00/09:00",
    ]  # fmt: skip
