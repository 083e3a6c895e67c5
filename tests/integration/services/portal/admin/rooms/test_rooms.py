"""Administrators' rooms over the real pages and API: entered, changed, paired, imported, and how they are doing."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from services.portal.admin.rooms.room_list import RoomList
from shared.contracts.command import Command, Reconcile
from shared.contracts.envelope import decode, payload_of
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState, RoomRow
from shared.domain.identity import Provider
from shared.domain.roles import Role
from shared.domain.sighting import Access, Availability, DirectoryRoom
from shared.errors import RefusedError
from shared.grants.oauth import scopes_for
from shared.organisations.enrolment import enter_rooms
from shared.organisations.off_boarding import unpair
from shared.registry import tables
from tests.integration.services.portal.admin.administration import led_to
from tests.integration.services.portal.office import TITLE, Browser, Office

ROOM: dict[str, Any] = {
    "address": "aare@rooms.example",
    "name": "Aare 4.12",
    "capacity": 6,
    "building": "Riverside",
    "floor": "4",
}


def appoint(office: Office, browser: Browser, *roles: Role) -> None:
    tables.users(office.engine.registry).change(
        browser.tenant, browser.user, lambda row: msgspec.structs.replace(row, roles=tuple(roles)) if row else None
    )


def switch(office: Office, tenant: str, state: IntegrationState) -> None:
    tables.tenants(office.engine.registry).change(
        tenant, "tenant", lambda row: msgspec.structs.replace(row, integration=state) if row else None
    )


def listed(browser: Browser) -> list[dict[str, Any]]:
    rooms: list[dict[str, Any]] = browser.client.get("/v1/admin/rooms").json["rooms"]
    return rooms


def looks_asked(office: Office) -> int:
    wishes = [payload_of(decode(value), Command) for _, _, value in office.commands()]  # type: ignore[arg-type]
    return sum(isinstance(wish, Reconcile) and wish.full for wish in wishes)


def confirm(office: Office, tenant: str, room_id: str) -> str:
    """The directory's word that it is a room, as an import writes it down."""
    return call_it_a_room(office, tenant, room_id, by="directory")


def call_it_a_room(office: Office, tenant: str, room_id: str, *, by: str) -> str:
    tables.rooms(office.engine.registry).change(
        tenant, room_id, lambda row: msgspec.structs.replace(row, resource=by) if row else None
    )
    return room_id


@pytest.mark.proves("E20")
def test_rooms_are_entered_while_the_integration_is_off_without_a_word_to_the_provider(
    office: Office, builder: Browser
) -> None:
    switch(office, builder.tenant, IntegrationState.OFF)
    asked = looks_asked(office)
    assert builder.post("/v1/admin/rooms", ROOM).status_code == 201
    [room] = listed(builder)
    assert (room["name"], room["paired"], room["capacity"]) == ("Aare 4.12", False, 6)
    assert office.calendar.reads == []
    assert looks_asked(office) == asked
    assert "Connect this room" not in builder.client.get(f"/admin/rooms/{room['id']}").text
    refused = builder.post(f"/v1/admin/rooms/{room['id']}/pair")
    assert (refused.status_code, refused.json["code"]) == (409, "not-enabled")


@pytest.mark.proves("E20", "E26")
def test_rooms_are_seen_and_entered_in_the_moment_when_the_keys_are_gone_and_the_next_not_made(
    office: Office, builder: Browser
) -> None:
    builder.post("/v1/admin/rooms", ROOM)
    switch(office, builder.tenant, IntegrationState.DISABLED)
    office.engine.keyring.destroy_data(builder.tenant)
    assert [room["address"] for room in listed(builder)] == [ROOM["address"]]
    assert builder.post("/v1/admin/rooms", {**ROOM, "address": "birs@rooms.example"}).status_code == 201


@pytest.mark.proves("E10", "E19")
def test_a_room_entered_while_enabled_is_paired_and_every_calendar_is_looked_at_again(
    office: Office, builder: Browser, ben: Browser
) -> None:
    made = builder.post("/v1/admin/rooms", ROOM)
    assert made.status_code == 201
    [room] = listed(builder)
    assert room["paired"]
    assert looks_asked(office) == 2  # Ada's and Ben's
    assert builder.post("/v1/admin/rooms", ROOM).json["code"] == "room-known"
    assert ben.client.get("/v1/admin/rooms").json["code"] == "not-allowed"
    for path in ("/v1/admin/rooms", f"/v1/admin/rooms/{room['id']}/unpair"):
        assert ben.post(path, ROOM).json["code"] == "not-allowed"


def test_a_room_that_is_not_connected_is_not_offered(office: Office, builder: Browser) -> None:
    office.calendar.said = {f"{name}@rooms.test": Availability.FREE for name in ("two", "three")}
    one, two, _ = office.enter_rooms(builder.tenant, "one", "two", "three")
    office.show(office.meeting(builder, office.room(builder, one, RoomState.DECLINED)), builder.tenant)
    [prompt] = builder.client.get("/v1/me/prompts").json["prompts"]
    path = f"/v1/me/prompts/{prompt['id']}/choices"
    assert len(builder.client.get(path).json["choices"]) == 2
    builder.post(f"/v1/admin/rooms/{two}/unpair")
    assert [each["name"] for each in builder.client.get(path).json["choices"]] == ["Room three"]


@pytest.mark.proves("E26")
def test_an_unpaired_room_keeps_its_information_and_shows_no_schedule(office: Office, builder: Browser) -> None:
    room_id = confirm(office, builder.tenant, builder.post("/v1/admin/rooms", ROOM).json["id"])
    office.show(office.meeting(builder, office.room(builder, room_id, RoomState.ACCEPTED)), builder.tenant)
    assert len(builder.client.get(f"/v1/admin/rooms/{room_id}").json["schedule"]) == 1
    assert builder.post(f"/v1/admin/rooms/{room_id}/unpair").status_code == 204
    shown = builder.client.get(f"/v1/admin/rooms/{room_id}").json
    assert (shown["address"], shown["paired"], shown["schedule"]) == (ROOM["address"], False, [])
    assert "Not connected" in builder.client.get(f"/admin/rooms/{room_id}").text


@pytest.mark.proves("E26")
def test_a_room_whose_information_is_saved_while_the_integration_is_switched_off_stays_unpaired(
    office: Office, builder: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_id = builder.post("/v1/admin/rooms", ROOM).json["id"]
    read = RoomList.find_room

    def overtaken(book: RoomList, room: str) -> RoomRow:
        row = read(book, room)
        unpair(office.engine.registry, builder.tenant)
        return row

    monkeypatch.setattr(RoomList, "find_room", overtaken)
    changed = builder.client.put(
        f"/v1/admin/rooms/{room_id}", json={**ROOM, "capacity": 9}, headers={"X-CSRF-Token": builder.csrf}
    )
    assert changed.status_code == 204
    row = tables.rooms(office.engine.registry).get(builder.tenant, room_id)
    assert row is not None
    assert (row.capacity, row.paired) == (9, False)


@pytest.mark.proves("E19")
def test_the_schedule_tells_times_and_states_and_never_whose_or_what(office: Office, builder: Browser) -> None:
    room_id = confirm(office, builder.tenant, builder.post("/v1/admin/rooms", ROOM).json["id"])
    memory = office.room(builder, room_id, RoomState.PENDING)
    office.show(office.meeting(builder, memory), builder.tenant)
    page = builder.client.get(f"/admin/rooms/{room_id}")
    assert "Pending" in page.text
    assert TITLE not in page.text
    [date] = builder.client.get(f"/v1/admin/rooms/{room_id}").json["schedule"]
    assert set(date) == {"start", "end", "state", "since", "forecast", "words"}
    assert (date["forecast"], date["words"]) == (None, ""), "nothing is known of its answers"


@pytest.mark.proves("B15")
def test_the_list_says_of_each_room_whether_it_is_visible_bookable_and_answers(
    office: Office, builder: Browser
) -> None:
    room_id = confirm(office, builder.tenant, builder.post("/v1/admin/rooms", ROOM).json["id"])
    office.calendar.said = {ROOM["address"]: Availability.BUSY}
    now_ms = office.clock.now_ms()
    answered = office.room(builder, room_id, RoomState.ACCEPTED, asked_at_ms=now_ms - 9_000, since_ms=now_ms - 5_000)
    office.show(office.meeting(builder, answered), builder.tenant)
    [room] = listed(builder)
    assert room["health"] == {
        "visible": "yes", "bookable": "yes", "answers": "yes", "accepted": 1, "declined": 0, "waiting": 0,
        "usualAnswer": "4 s", "fixes": [],
    }  # fmt: skip
    office.calendar.said = {}
    assert "cannot be seen" in builder.client.get("/admin/rooms").text
    office.calendar.away = True
    assert listed(builder)[0]["health"]["visible"] == "untried"


def test_a_room_is_changed_by_form_but_not_its_address_and_removed(office: Office, builder: Browser) -> None:
    room_id = builder.post("/v1/admin/rooms", ROOM).json["id"]
    form = {"csrf": builder.csrf, **ROOM, "name": "Aare", "capacity": "9"}
    assert builder.client.post(f"/admin/rooms/{room_id}", data=form).status_code == 303
    assert [(room["name"], room["capacity"], room["paired"]) for room in listed(builder)] == [("Aare", 9, True)]
    moved = {"csrf": builder.csrf, **ROOM, "address": "birs@rooms.example"}
    assert builder.client.post(f"/admin/rooms/{room_id}", data=moved).status_code == 422
    assert (
        builder.client.post(f"/admin/rooms/{room_id}/remove", data={"csrf": builder.csrf, "sure": "yes"}).status_code
        == 303
    )
    assert listed(builder) == []
    acts = {row.act for _, row in tables.audit(office.engine.registry).scan(builder.tenant)}
    assert acts == {"room.entered", "room.changed", "room.removed"}


def test_rooms_of_another_organisation_are_not_there(office: Office, builder: Browser, domain: str) -> None:
    room_id = builder.post("/v1/admin/rooms", ROOM).json["id"]
    other = office.signed_in(f"ada@g.{domain}", "google")
    appoint(office, other, Role.SUBSCRIPTION_ADMIN)
    assert listed(other) == []
    assert other.client.get(f"/v1/admin/rooms/{room_id}").status_code == 404
    assert other.post(f"/v1/admin/rooms/{room_id}/unpair").status_code == 404


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_the_directorys_rooms_are_imported_with_a_permission_that_is_kept_nowhere(
    office: Office, domain: str, provider: str
) -> None:
    where = domain if provider == "microsoft" else f"g.{domain}"
    browser = office.signed_in(f"ada@{where}", provider)
    appoint(office, browser, Role.BUILDING_ADMIN)
    before = tables.consents(office.engine.registry).get(browser.tenant, browser.mailbox)
    office.calendar.rooms = [DirectoryRoom("aare@rooms.example", "Aare", 6, "Riverside", "4")]
    start = browser.client.post("/admin/rooms/import", data={"csrf": browser.csrf})
    location = led_to(start.text)
    asked = parse_qs(urlsplit(location).query)["scope"][0].split()
    assert asked == list(scopes_for(Provider(provider), room_import=True))
    back = browser.come_back(office.simulator.follow(location))
    assert listed(browser) == [], "nothing is changed by looking"
    done = apply_import(browser, back)
    assert (done.status_code, done.headers["Location"]) == (303, "/admin/rooms?done=imported")
    assert [(room["name"], room["building"]) for room in listed(browser)] == [("Aare", "Riverside")]
    assert tables.consents(office.engine.registry).get(browser.tenant, browser.mailbox) == before


def test_only_those_who_may_change_rooms_are_sent_to_their_provider_for_them(builder: Browser, ben: Browser) -> None:
    assert ben.post("/v1/admin/rooms/import").status_code == 403
    assert ben.client.post("/admin/rooms/import", data={"csrf": ben.csrf}).status_code == 403


def test_account_that_may_not_list_rooms_is_not_told_to_connect_a_calendar(
    office: Office, builder: Browser, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_access: Access) -> list[DirectoryRoom]:
        message = "reading the directory of rooms: Google answered 403 forbidden: x"
        raise RefusedError(message)

    monkeypatch.setattr(office.calendar, "directory_rooms", refused)
    start = builder.post("/v1/admin/rooms/import")
    back = builder.come_back(office.simulator.follow(start.json["location"]))

    assert (back.status_code, "directory-refused" in back.text) == (409, True)
    assert "enter rooms by hand" in back.text


def test_what_comes_back_as_somebody_of_another_organisation_imports_nothing(
    office: Office, builder: Browser, domain: str
) -> None:
    office.calendar.rooms = [DirectoryRoom("aare@rooms.example", "Aare", 6, "", "")]
    stranger = office.signed_in(f"ada@g.{domain}", "google")
    appoint(office, stranger, Role.BUILDING_ADMIN)
    office.simulator.faults(oauth={"claims": {f"ada@g.{domain}": {"hd": "elsewhere.test"}}})
    start = stranger.post("/v1/admin/rooms/import")
    back = stranger.come_back(office.simulator.follow(start.json["location"]))
    office.simulator.faults(oauth={})
    assert back.status_code == 403
    assert listed(stranger) == []
    assert listed(builder) == []


def enter_by_hand(office: Office, builder: Browser) -> str:
    room_id: str = builder.post("/v1/admin/rooms", ROOM).json["id"]
    office.calendar.said = {ROOM["address"]: Availability.FREE}
    return room_id


@pytest.mark.proves("E19")
@pytest.mark.parametrize("how", ["operator", "directory"])
def test_a_room_is_offered_and_shown_once_the_directory_or_the_operator_has_called_it_one(
    office: Office, builder: Browser, domain: str, how: str
) -> None:
    room_id = enter_by_hand(office, builder)
    [other] = office.enter_rooms(builder.tenant, "one")
    declined, answered = (
        office.room(builder, other, RoomState.DECLINED),
        office.room(builder, room_id, RoomState.ACCEPTED),
    )
    office.show(office.meeting(builder, declined), builder.tenant)
    office.show(office.meeting(builder, answered, meeting="m-other"), builder.tenant)
    [prompt] = builder.client.get("/v1/me/prompts").json["prompts"]
    booking = {"title": "T", "date": "2099-01-05", "from": "10:00", "to": "11:00", "room": room_id}
    take = {"roomId": room_id}

    shown = builder.client.get(f"/v1/admin/rooms/{room_id}").json
    assert (shown["confirmed"], shown["schedule"], shown["health"]["accepted"]) == (None, [], 0)
    assert "Import your directory" in shown["confirm"]
    assert "Import your directory" in builder.client.get("/admin/rooms").text
    assert builder.client.get(prompt["links"]["choices"]).json["choices"] == []
    refused = builder.post(prompt["links"]["take"], take, Idempotency_Key="a")
    assert (refused.status_code, refused.json["code"]) == (422, "room-not-offered")
    assert builder.post("/v1/me/bookings", booking, Idempotency_Key="a").json["code"] == "no-such-room"
    assert room_id not in builder.client.get("/book").text

    # What earlier versions wrote down where a meeting had called it a room.
    call_it_a_room(office, builder.tenant, room_id, by="attendee")
    shown = builder.client.get(f"/v1/admin/rooms/{room_id}").json
    assert (shown["confirmed"], shown["schedule"], shown["health"]["accepted"]) == (None, [], 0)
    assert "whoever writes the meeting" in shown["confirm"]
    assert "Import your directory" in shown["confirm"]
    assert builder.client.get(prompt["links"]["choices"]).json["choices"] == []

    if how == "operator":
        row = RoomRow(address=ROOM["address"].upper(), name="Aare")
        enter_rooms(office.engine.registry, office.engine.keyring, builder.tenant, [row])
    else:
        office.calendar.rooms = [DirectoryRoom(ROOM["address"], "Aare", 6, "Riverside", "4", directory_id="place-1")]
        import_directory(office, builder, domain)

    shown = builder.client.get(f"/v1/admin/rooms/{room_id}").json
    assert (shown["confirmed"], len(shown["schedule"]), shown["confirm"]) == (how, 1, None)
    assert [each["roomId"] for each in builder.client.get(prompt["links"]["choices"]).json["choices"]] == [room_id]
    assert builder.post(prompt["links"]["take"], take, Idempotency_Key="b").status_code == 202
    assert builder.post("/v1/me/bookings", booking, Idempotency_Key="b").status_code == 201


def test_address_that_google_makes_for_resources_alone_is_a_room_as_it_is_entered(
    office: Office, builder: Browser
) -> None:
    ours, lookalike = "c_1889@resource.calendar.google.com", "c_1889@resource.calendar.google.com.evil.example"
    for address in (ours, lookalike):
        assert builder.post("/v1/admin/rooms", {**ROOM, "address": address}).status_code == 201
    assert {(room["address"], room["confirmed"]) for room in listed(builder)} == {(ours, "address"), (lookalike, None)}


def test_a_room_of_version_0_1_0_is_followed_on_and_its_administrator_asked_to_import(
    office: Office, builder: Browser
) -> None:
    room_id = enter_by_hand(office, builder)
    declined = office.room(builder, room_id, RoomState.DECLINED)
    office.show(office.meeting(builder, declined), builder.tenant)
    call_it_a_room(office, builder.tenant, room_id, by="")  # what 0.1.0 wrote

    shown = builder.client.get(f"/v1/admin/rooms/{room_id}").json
    assert (shown["confirmed"], len(shown["schedule"])) == ("earlier", 1)
    assert "import your directory" in shown["confirm"]
    # Nobody makes such a row now.
    form = {"csrf": builder.csrf, **ROOM, "name": "Aare"}
    assert (
        builder.client.post(f"/admin/rooms/{room_id}/remove", data={"csrf": builder.csrf, "sure": "yes"}).status_code
        == 303
    )
    assert builder.client.post("/admin/rooms", data=form).status_code == 303
    assert [room["confirmed"] for room in listed(builder)] == [None]


def import_directory(office: Office, browser: Browser, domain: str) -> None:
    assert apply_import(browser, begin_import(office, browser)).status_code == 303


def begin_import(office: Office, browser: Browser) -> Any:
    """To the provider and back, as far as the page that shows what the import would do."""
    start = browser.post("/v1/admin/rooms/import")
    return browser.come_back(office.simulator.follow(start.json["location"]))


def apply_import(browser: Browser, back: Any) -> Any:
    """Press the button of the page that shows what the import would do, as far as the page is shown."""
    where = back.headers["Location"]
    assert where.startswith("/admin/rooms/import/")
    found = re.search(r'name="plan" value="(\w+)"', browser.client.get(where).text)
    return browser.client.post(where, data={"csrf": browser.csrf, "plan": found[1] if found else ""})


def test_a_colleague_is_not_entered_as_a_room(office: Office, builder: Browser, ben: Browser, domain: str) -> None:
    refused = builder.post("/v1/admin/rooms", {**ROOM, "address": f"Ben@{domain}"})
    assert (refused.status_code, refused.json["code"]) == (422, "room-is-person")
    assert listed(builder) == []


def test_changing_a_rooms_information_keeps_the_providers_word(office: Office, builder: Browser) -> None:
    room_id = confirm(office, builder.tenant, builder.post("/v1/admin/rooms", ROOM).json["id"])
    form = {"csrf": builder.csrf, **ROOM, "name": "Aare"}
    assert builder.client.post(f"/admin/rooms/{room_id}", data=form).status_code == 303
    assert [(room["name"], room["confirmed"]) for room in listed(builder)] == [("Aare", "directory")]


def test_a_room_that_was_renamed_in_the_directory_stays_the_room_it_is(
    office: Office, builder: Browser, domain: str
) -> None:
    office.calendar.rooms = [DirectoryRoom("aare@rooms.example", "Aare", 6, "Riverside", "4", directory_id="Place-1")]
    import_directory(office, builder, domain)
    [before] = listed(builder)
    office.calendar.rooms = [
        DirectoryRoom("Neu@rooms.example", "Aare Neu", 6, "Riverside", "4", directory_id="Place-1")
    ]
    import_directory(office, builder, domain)
    [after] = listed(builder)
    assert (after["id"], after["name"], after["address"]) == (before["id"], "Aare Neu", "neu@rooms.example")
    row = tables.rooms(office.engine.registry).get(builder.tenant, after["id"])
    assert row is not None
    assert (row.aliases, row.resource) == (("aare@rooms.example",), "directory")
