"""What an organisation and its people may keep has bounds: the oldest goes, or whoever writes is told what to do."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import msgspec
import pytest

from services.portal.admin.people import administrators
from services.portal.admin.rooms import room_list
from services.portal.frame import sessions
from services.portal.frame.sessions import MAX_SESSIONS
from shared.domain.roles import Role
from shared.domain.sighting import DirectoryRoom
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office


def appoint(office: Office, browser: Browser, role: Role) -> None:
    tables.users(office.engine.registry).change(
        browser.tenant, browser.user, lambda row: row and msgspec.structs.replace(row, roles=(role,))
    )


def status(browser: Browser) -> int:
    return int(browser.client.get("/v1/me").status_code)


def session_rows(office: Office, browser: Browser) -> int:
    return sum(row.user == browser.user for _, row in tables.sessions(office.engine.registry).scan(browser.tenant))


def again(office: Office, address: str) -> Browser:
    browser = office.browser()
    assert browser.enter(address).status_code == 303
    return browser


def test_whoever_signs_in_once_too_often_ends_their_own_oldest_session(
    office: Office, ada: Browser, ben: Browser, domain: str
) -> None:
    browsers = [ada, *(again(office, f"ada@{domain}") for _ in range(MAX_SESSIONS - 1))]
    assert {status(each) for each in browsers} == {200}
    newest = again(office, f"ada@{domain}")
    assert [status(each) for each in (ada, *browsers[1:], newest)] == [401] + [200] * MAX_SESSIONS
    assert session_rows(office, ada) == MAX_SESSIONS
    assert status(ben) == 200


def test_a_session_that_was_signed_out_of_counts_no_more(
    office: Office, ada: Browser, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    for _ in range(5):
        browser = again(office, f"ada@{domain}")
        browser.csrf = browser.client.get("/v1/me").json["csrf"]
        assert browser.client.post("/auth/logout", data={"csrf": browser.csrf}).status_code == 303
    assert status(ada) == 200
    assert session_rows(office, ada) == 1


def test_one_browser_that_signs_in_over_and_over_keeps_one_session(office: Office, ada: Browser, domain: str) -> None:
    browser = again(office, f"ada@{domain}")
    for _ in range(3):
        assert browser.enter(f"ada@{domain}").status_code == 303
    assert session_rows(office, ada) == 2


def enter(browser: Browser, name: str) -> Any:
    room = {"address": f"{name}@rooms.example", "name": name, "capacity": 6, "building": "", "floor": ""}
    return browser.post("/v1/admin/rooms", room)


def test_an_organisation_has_so_many_rooms_and_is_told_what_to_do(
    office: Office, ada: Browser, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_list, "MAX_ROOMS", 2)
    appoint(office, ada, Role.BUILDING_ADMIN)
    one, two = (enter(ada, name) for name in ("one", "two"))
    assert (one.status_code, two.status_code) == (201, 201)
    refused = enter(ada, "three")
    assert (refused.status_code, refused.json["code"]) == (409, "rooms-full")
    assert "off the list" in refused.json["next"]
    assert enter(ada, "one").json["code"] == "room-known"
    page = ada.client.post(
        "/admin/rooms",
        data={"csrf": ada.csrf, "address": "four@rooms.example", "name": "four", "capacity": "", "building": ""},
    )
    assert page.status_code == 409
    assert "off the list" in page.text

    other = office.signed_in(f"ben@g.{domain}", "google")
    appoint(office, other, Role.BUILDING_ADMIN)
    assert enter(other, "five").status_code == 201

    ada.client.delete(f"/v1/admin/rooms/{one.json['id']}", headers={"X-CSRF-Token": ada.csrf})
    assert enter(ada, "three").status_code == 201


def test_an_import_of_more_rooms_than_may_be_changes_nothing(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_list, "MAX_ROOMS", 2)
    appoint(office, ada, Role.BUILDING_ADMIN)
    assert enter(ada, "one").status_code == 201

    def imported(*names: str) -> Any:
        office.calendar.rooms = [
            DirectoryRoom(f"{name}@rooms.example", f"Named {name}", 4, "", "", f"d-{name}") for name in names
        ]
        begun = ada.post("/v1/admin/rooms/import")
        shown = ada.come_back(office.simulator.follow(begun.json["location"]))
        if shown.status_code != HTTPStatus.SEE_OTHER:
            return shown
        preview = shown.headers["Location"]
        plan = re.search(r'name="plan" value="(\w+)"', ada.client.get(preview).text)
        return ada.client.post(preview, data={"csrf": ada.csrf, "plan": plan[1]}) if plan else ada.client.get(preview)

    refused = imported("one", "two", "three")
    assert refused.status_code == 409
    assert "off the list" in refused.text
    rows = [row.name for _, row in tables.rooms(office.engine.registry).scan(ada.tenant)]
    assert rows == ["one"]
    assert imported("one", "two").status_code == 303
    assert imported("one", "two").status_code == 200, "there is nothing to do, and the page says so"


def test_so_many_addresses_are_appointed_and_one_that_waits_is_given_more(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    appoint(office, ada, Role.SUBSCRIPTION_ADMIN)
    standing = sum(1 for _ in tables.appointments(office.engine.registry).scan(ada.tenant))
    monkeypatch.setattr(administrators, "MAX_APPOINTMENTS", standing + 2)

    def offer(name: str, role: Role = Role.BUILDING_ADMIN) -> Any:
        return ada.post("/v1/admin/people", {"address": f"{name}@elsewhere.test", "role": role.value})

    assert [offer(name).status_code for name in ("one", "two")] == [201, 201]
    refused = offer("three")
    assert (refused.status_code, refused.json["code"]) == (409, "appointments-full")
    assert "Dismiss" in refused.json["next"]
    assert offer("two", Role.SUBSCRIPTION_ADMIN).status_code == 201
    [first, *_] = [each for each in ada.client.get("/v1/admin/people").json["people"] if not each["came"]]
    path = f"/v1/admin/people/{first['id']}/roles/{first['roles'][0]}"
    assert ada.client.delete(path, headers={"X-CSRF-Token": ada.csrf}).status_code < 300
    assert offer("three").status_code == 201
