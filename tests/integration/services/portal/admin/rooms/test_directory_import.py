"""The import of the directory over the real pages: what it would do is shown first, and done only as it was shown."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from services.portal.admin.rooms.pending_listing import LIFE_MS
from shared.contracts.erasure import KeyClass
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState
from shared.domain.sighting import Availability, DirectoryRoom
from shared.providers.catalogue import profile_of
from shared.registry import tables
from tests.integration.services.portal.admin.rooms.test_rooms import (
    ROOM,
    apply_import,
    begin_import,
    import_directory,
    listed,
    looks_asked,
    switch,
)
from tests.integration.services.portal.my_day.test_pages import a_booking
from tests.integration.services.portal.office import Browser, Office


def room(name: str, seats: int = 6) -> DirectoryRoom:
    return DirectoryRoom(f"{name}@rooms.example", name.title(), seats, "Riverside", "4", directory_id=f"id-{name}")


def preview(office: Office, browser: Browser) -> Any:
    return browser.client.get(begin_import(office, browser).headers["Location"])


@pytest.mark.proves("P7")
def test_an_import_says_what_is_new_changed_and_gone_before_anything_is_done(
    office: Office, builder: Browser, domain: str
) -> None:
    office.calendar.rooms = [room("aare"), room("birs"), room("cher")]
    import_directory(office, builder, domain)
    by_hand = builder.post("/v1/admin/rooms", {**ROOM, "address": "hand@rooms.example"}).json["id"]
    before = listed(builder)
    office.calendar.rooms = [room("aare"), room("birs", seats=8), room("doubs"), room("emme")]
    looks = looks_asked(office)
    shown = preview(office, builder).text

    assert "<strong>2 new</strong>, <strong>1 changed</strong>, <strong>1 gone</strong>, 1 as it is" in shown
    assert "<div>Seats: 6 → 8</div>" in shown
    assert profile_of(office.calendar.provider).no_photos in shown
    assert (listed(builder), looks_asked(office)) == (before, looks)
    [offered] = re.findall(r'name="room" value="([^"]+)"', shown)
    assert offered in {each["id"] for each in before if each["name"] == "Cher"}

    [action] = re.findall(r'action="(/admin/rooms/import/[^"]+)"', shown)
    [plan] = re.findall(r'name="plan" value="(\w+)"', shown)
    done = builder.client.post(action, data={"csrf": builder.csrf, "plan": plan})
    assert done.headers["Location"] == "/admin/rooms?done=imported"
    after = {each["name"]: each["capacity"] for each in listed(builder)}
    assert after == {"Aare": 6, "Birs": 8, "Cher": 6, "Doubs": 6, "Emme": 6, "Aare 4.12": 6}
    assert by_hand in {each["id"] for each in listed(builder)}, "what was entered by hand is not gone"
    assert looks_asked(office) > looks

    again = builder.client.post(action, data={"csrf": builder.csrf, "plan": plan})
    assert (again.status_code, "it was imported" in again.text) == (404, True)
    nothing = preview(office, builder).text
    assert "There is nothing to import" in nothing
    assert "Import these rooms" not in nothing


@pytest.mark.proves("P7")
def test_programs_see_what_an_import_would_do_and_have_it_done_as_the_page_does(
    office: Office, builder: Browser, domain: str
) -> None:
    assert builder.client.get("/v1/admin/rooms/import").json["code"] == "no-such-preview"
    office.calendar.rooms = [room("aare"), room("birs"), room("cher")]
    import_directory(office, builder, domain)
    office.calendar.rooms = [room("aare"), room("birs", seats=8), room("doubs")]
    begin_import(office, builder)
    before = listed(builder)

    shown = builder.client.get("/v1/admin/rooms/import").json
    assert shown == builder.client.get(shown["href"]).json
    assert [each["name"] for each in shown["new"]] == ["Doubs"]
    assert [(each["name"], each["capacity"], each["changes"]) for each in shown["changed"]] == [
        ("Birs", 8, ["Seats: 6 → 8"])
    ]
    assert ([each["name"] for each in shown["gone"]], shown["same"], shown["applies"]) == (["Cher"], 1, True)
    assert listed(builder) == before

    done = builder.post(shown["href"], {"plan": shown["plan"]})
    assert (done.status_code, done.json) == (200, {"new": 1, "changed": 1})
    assert {each["name"]: each["capacity"] for each in listed(builder)} == {
        "Aare": 6,
        "Birs": 8,
        "Cher": 6,
        "Doubs": 6,
    }
    assert builder.post(shown["href"], {"plan": shown["plan"]}).json["code"] == "no-such-preview"


@pytest.mark.proves("P7")
def test_a_preview_of_a_list_that_has_changed_since_is_refused_and_says_what_to_do(
    office: Office, builder: Browser, domain: str
) -> None:
    office.calendar.rooms = [room("aare")]
    import_directory(office, builder, domain)
    office.calendar.rooms = [room("aare", seats=8)]
    page = preview(office, builder).text
    [where] = re.findall(r'action="(/admin/rooms/import/[^"]+)"', page)
    shown = builder.client.get("/v1/admin/rooms/import").json
    [now] = listed(builder)
    headers = {"X-CSRF-Token": builder.csrf}
    builder.client.put(f"/v1/admin/rooms/{now['id']}", json={**now, "name": "Aare, by hand"}, headers=headers)

    refused = builder.post(shown["href"], {"plan": shown["plan"]})
    assert (refused.status_code, refused.json["code"]) == (409, "preview-stale")
    assert shown["href"] in refused.json["next"]
    assert builder.post(shown["href"], {}).json["code"] == "preview-stale"
    again = builder.client.post(where, data={"csrf": builder.csrf, "plan": shown["plan"]})
    assert again.status_code == 409
    assert "has changed since you looked" in again.text
    assert "Name: Aare, by hand → Aare" in again.text
    assert [(each["name"], each["capacity"]) for each in listed(builder)] == [("Aare, by hand", 6)]

    [plan] = re.findall(r'name="plan" value="(\w+)"', again.text)
    assert builder.post(shown["href"], {"plan": plan}).json == {"new": 0, "changed": 1}
    assert [(each["name"], each["capacity"]) for each in listed(builder)] == [("Aare", 8)]


def test_connecting_a_room_changes_nothing_of_what_a_preview_says(
    office: Office, builder: Browser, domain: str
) -> None:
    office.calendar.rooms = [room("aare")]
    import_directory(office, builder, domain)
    office.calendar.rooms = [room("aare", seats=8)]
    begin_import(office, builder)
    shown = builder.client.get("/v1/admin/rooms/import").json
    switch(office, builder.tenant, IntegrationState.ENABLED)
    [now] = listed(builder)
    other = "unpair" if now["paired"] else "pair"
    assert builder.post(f"/v1/admin/rooms/{now['id']}/{other}").status_code == 204
    assert builder.post(shown["href"], {"plan": shown["plan"]}).json == {"new": 0, "changed": 1}
    assert [each["paired"] for each in listed(builder)] == [not now["paired"]]


@pytest.mark.proves("P7")
def test_a_preview_lasts_an_hour_and_the_next_import_replaces_it(office: Office, builder: Browser) -> None:
    office.calendar.rooms = [room("aare")]
    first = begin_import(office, builder)
    second = begin_import(office, builder)
    assert apply_import(builder, first).status_code == 404
    office.clock.advance(LIFE_MS)
    assert apply_import(builder, second).status_code == 404
    assert list(tables.rooms(office.engine.registry).scan(builder.tenant)) == []


def test_a_preview_is_of_its_organisation_and_of_those_who_may_change_rooms(
    office: Office, builder: Browser, ben: Browser
) -> None:
    office.calendar.rooms = [room("aare")]
    back = begin_import(office, builder)
    assert apply_import(ben, back).status_code == 403
    assert ben.client.get("/v1/admin/rooms/import").status_code == 403
    assert ben.post(f"/v1{back.headers['Location']}", {"plan": ""}).status_code == 403
    assert ben.client.get(back.headers["Location"]).status_code == 403
    assert builder.client.post(back.headers["Location"]).status_code == 403, "a change carries the session's token"
    assert listed(builder) == []


@pytest.mark.proves("E20")
def test_what_was_listed_goes_when_the_organisation_is_switched_off(office: Office, builder: Browser) -> None:
    office.calendar.rooms = [room("aare")]
    begin_import(office, builder)
    switch(office, builder.tenant, IntegrationState.DISABLED)
    office.engine.keyring.destroy_consent(builder.tenant)
    tables.delete_with(office.engine.registry, builder.tenant, KeyClass.CONSENT)
    assert list(tables.room_imports(office.engine.registry).scan(builder.tenant)) == []


@pytest.mark.proves("P7")
def test_equipment_and_access_come_from_the_directory_and_are_kept_over_a_form_that_knows_neither(
    office: Office, builder: Browser
) -> None:
    listed_there = dataclasses.replace(room("aare"), equipment=("Screen", "Whiteboard"), accessible=True)
    office.calendar.rooms = [listed_there]
    apply_import(builder, begin_import(office, builder))
    [now] = listed(builder)
    assert (now["equipment"], now["accessible"]) == (["Screen", "Whiteboard"], True)
    where = f"/v1/admin/rooms/{now['id']}"
    headers = {"X-CSRF-Token": builder.csrf}
    older = {"address": now["address"], "name": "Aare 2"}
    assert builder.client.put(where, json=older, headers=headers).status_code == 204
    [now] = listed(builder)
    assert (now["name"], now["equipment"], now["accessible"]) == ("Aare 2", ["Screen", "Whiteboard"], True)
    assert builder.client.put(where, json={**now, "accessible": False}, headers=headers).status_code == 204
    page = builder.client.get(f"/admin/rooms/{now['id']}").text
    assert "Screen, Whiteboard" in page
    assert "not wheelchair accessible" in page
    assert '<option value="no" selected>' in page
    form = {"csrf": builder.csrf, **older, "equipment": "", "accessible": ""}
    assert builder.client.post(f"/admin/rooms/{now['id']}", data=form).status_code == 303
    [now] = listed(builder)
    assert (now["equipment"], now["accessible"]) == ([], None)
    assert "Wheelchair: not said → yes" in preview(office, builder).text


@pytest.mark.proves("P7", "D8")
def test_part_of_a_floor_and_what_everybody_may_read_of_a_room_are_shown_to_those_who_choose_one(
    office: Office, builder: Browser
) -> None:
    told = dataclasses.replace(room("aare"), section="East wing", description="Knock <b>twice</b>.")
    office.calendar.rooms = [told]
    shown = preview(office, builder).text
    assert ">4, East wing<" in shown
    plan = builder.client.get("/v1/admin/rooms/import").json
    assert (plan["new"][0]["section"], plan["new"][0]["description"]) == ("East wing", "Knock <b>twice</b>.")
    builder.post(plan["href"], {"plan": plan["plan"]})
    [now] = listed(builder)
    assert (now["section"], now["description"]) == ("East wing", "Knock <b>twice</b>.")
    assert "Riverside, floor 4, section East wing" in builder.client.get("/admin/rooms").text
    assert "Knock &lt;b&gt;twice&lt;/b&gt;." in builder.client.get(f"/admin/rooms/{now['id']}").text

    switch(office, builder.tenant, IntegrationState.ENABLED)
    builder.post(f"/v1/admin/rooms/{now['id']}/pair")
    declined = office.room(builder, office.enter_rooms(builder.tenant, "one")[0], RoomState.DECLINED)
    office.show(office.meeting(builder, declined), builder.tenant)
    office.calendar.said = {"aare@rooms.example": Availability.FREE}
    [choice] = builder.client.get(f"/v1/me/prompts/{declined.decline_id}/choices").json["choices"]
    assert (choice["section"], choice["description"]) == ("East wing", "Knock <b>twice</b>.")
    pages = (
        builder.client.get(f"/prompts/{declined.decline_id}").text,
        builder.client.post("/book/rooms", data={"csrf": builder.csrf, **a_booking(office, guests="")}).text,
    )
    for page in pages:
        assert "floor 4, section East wing" in page
        assert "Knock &lt;b&gt;twice&lt;/b&gt;." in page

    headers = {"X-CSRF-Token": builder.csrf}
    changed = {"address": now["address"], "name": "Aare 2", "capacity": 6, "building": "Riverside", "floor": "4"}
    builder.client.put(f"/v1/admin/rooms/{now['id']}", json=changed, headers=headers)
    assert [each["description"] for each in listed(builder) if each["name"] == "Aare 2"] == ["Knock <b>twice</b>."]
    office.calendar.rooms = [dataclasses.replace(told, section="", description="")]
    assert "Description: Knock &lt;b&gt;twice&lt;/b&gt;. → not said" in preview(office, builder).text
    office.calendar.rooms = [dataclasses.replace(told, section=None, description=None)]
    assert "Description:" not in preview(office, builder).text, "a directory without the field takes nothing away"


UNSEEN = "Aa\x00re\x1b[31m\r\nSet-Cookie: x=y\ud83d"
"""Control characters, an end of a line, and half a character."""


@pytest.mark.proves("P7")
def test_what_a_directory_says_is_kept_as_an_administrator_might_have_entered_it(
    office: Office, builder: Browser, domain: str
) -> None:
    long = "L" * 100_000
    wild = DirectoryRoom(
        address="wild@rooms.example",
        name=UNSEEN,
        capacity=10**12,
        building=long,
        floor=UNSEEN,
        directory_id=f"{UNSEEN}{long}",
        equipment=(UNSEEN, long),
        section=UNSEEN,
        description=long,
    )
    nameless = dataclasses.replace(room("birs"), name="\x07\n", capacity=-1)
    nowhere = [dataclasses.replace(room("cher"), address=each) for each in ("", "two words", "a\nb@c.example", long)]
    office.calendar.rooms = [wild, nameless, *nowhere]
    import_directory(office, builder, domain)
    birs, aare = sorted(listed(builder), key=lambda each: str(each["address"]))

    assert (birs["name"], birs["capacity"]) == ("birs@rooms.example", None)
    name = "Aare[31m Set-Cookie: x=y"
    assert (aare["name"], aare["floor"], aare["section"]) == (name, name, name)
    assert (len(aare["building"]), len(aare["description"]), aare["capacity"]) == (120, 200, 10_000)
    assert (aare["equipment"][0], len(aare["equipment"][1])) == (name, 60)
    fields = ("address", "name", "capacity", "building", "floor", "equipment")
    answer = builder.client.put(
        f"/v1/admin/rooms/{aare['id']}",
        json={field: aare[field] for field in fields},
        headers={"X-CSRF-Token": builder.csrf},
    )
    assert answer.status_code < 300, answer.text
    [again] = [each for each in listed(builder) if each["id"] == aare["id"]]
    assert again == aare, "what the directory says can be saved again as it is shown"
