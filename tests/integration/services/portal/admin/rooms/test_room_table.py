"""The table of rooms over the real pages: many changed at once, sheets in and out, and forms that come back as they were sent."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any

import pytest

from services.portal.frame.deciding.sheets import FORMULA_SIGNS
from shared.contracts.meeting_state import RoomState
from shared.domain.roles import Role
from tests.integration.services.portal.admin.rooms.test_rooms import ROOM, appoint, confirm, listed, looks_asked
from tests.integration.services.portal.office import Browser, Office


def send_sheet(browser: Browser, text: str) -> Any:
    form = {"csrf": browser.csrf, "file": (io.BytesIO(text.encode()), "rooms.csv")}
    return browser.client.post("/admin/rooms/sheet", data=form)


def enter(browser: Browser, *names: str) -> list[str]:
    return [
        browser.post("/v1/admin/rooms", {**ROOM, "address": f"{name}@rooms.example", "name": name}).json["id"]
        for name in names
    ]


@pytest.mark.proves("P7")
def test_chosen_rooms_are_changed_at_once_and_removed_only_when_it_is_confirmed(
    office: Office, builder: Browser
) -> None:
    aare, birs, cher = enter(builder, "aare", "birs", "cher")
    looks = looks_asked(office)
    form = {"csrf": builder.csrf, "room": [aare, birs, "r-nowhere"]}
    answer = builder.client.post("/admin/rooms/selected/unpair", data=form)
    assert answer.headers["Location"] == "/admin/rooms?done=several-unpaired"
    assert {room["id"]: room["paired"] for room in listed(builder)} == {aare: False, birs: False, cher: True}
    builder.client.post("/admin/rooms/selected/pair", data=form)
    assert all(room["paired"] for room in listed(builder))
    assert looks_asked(office) <= looks + 1, "calendars are looked at again once, not once a room"

    asked = builder.client.post("/admin/rooms/selected/remove", data=form)
    assert (asked.status_code, len(listed(builder))) == (200, 3)
    assert "Remove 2 rooms from the list?" in asked.text
    sure = {"csrf": builder.csrf, "sure": "yes", "room": re.findall(r'name="room" value="([^"]+)"', asked.text)}
    builder.client.post("/admin/rooms/selected/remove", data=sure)
    assert [room["id"] for room in listed(builder)] == [cher]
    nothing = builder.client.post("/admin/rooms/selected/remove", data={"csrf": builder.csrf})
    assert nothing.headers["Location"] == "/admin/rooms?done=none"


@pytest.mark.proves("P7")
def test_the_address_that_removes_one_room_asks_as_well(builder: Browser) -> None:
    [aare] = enter(builder, "aare")
    asked = builder.client.post(f"/admin/rooms/{aare}/remove", data={"csrf": builder.csrf})
    assert (asked.status_code, "Remove 1 room from the list?" in asked.text, len(listed(builder))) == (200, True, 1)
    sure = {"csrf": builder.csrf, "sure": "yes"}
    assert builder.client.post(f"/admin/rooms/{aare}/remove", data=sure).status_code == 303
    assert listed(builder) == []


@pytest.mark.proves("P7")
def test_a_sheet_is_shown_before_it_is_imported_and_comes_out_as_it_went_in(office: Office, builder: Browser) -> None:
    enter(builder, "aare")
    sheet = "address,name,capacity,building,floor\naare@rooms.example,Aare,9,=1+1,2\nbirs@rooms.example,Birs,4,,\n"
    shown = send_sheet(builder, sheet)
    assert "1 new" in shown.text
    assert "1 changed" in shown.text
    assert [room["name"] for room in listed(builder)] == ["aare"], "nothing is changed by looking"
    carried = {"csrf": builder.csrf, "apply": "yes", "sheet": sheet}
    assert builder.client.post("/admin/rooms/sheet", data=carried).headers["Location"] == "/admin/rooms?done=sheet"
    assert {room["name"]: (room["capacity"], room["building"]) for room in listed(builder)} == {
        "Aare": (9, "=1+1"),
        "Birs": (4, ""),
    }
    out = builder.client.get("/admin/rooms.csv")
    assert out.mimetype == "text/csv"
    assert ",'=1+1," in out.text
    assert "<strong>0 new</strong>, <strong>0 changed</strong>, 2 as they are" in send_sheet(builder, out.text).text

    wrong = "address\nbirs@rooms.example\nnowhere\n"
    refused = builder.client.post("/admin/rooms/sheet", data={**carried, "sheet": wrong})
    assert "Line 3: The address of the room cannot be used." in refused.text
    assert len(listed(builder)) == 2


@pytest.mark.proves("P7")
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_whichever_sign_a_spreadsheet_takes_between_cells(
    office: Office, builder: Browser, separator: str
) -> None:
    appoint(office, builder, Role.SUBSCRIPTION_ADMIN)
    names = [
        "Aare;=1+1",
        'Birs;"=cmd|A0',
        "Cher; ;@SUM(1)",
        "Doubs;'-1",
        "\uff1d1+1",
        "'=1",
        "Emme; open",
        "Furka, +41",
    ]
    for name in names:
        sent = {**ROOM, "address": f"r{names.index(name)}@rooms.example", "name": name, "building": name}
        assert builder.post("/v1/admin/rooms", sent).status_code == 201
    before = sorted(listed(builder), key=lambda each: str(each["id"]))
    for path in ("/admin/rooms.csv", "/admin/audit.csv"):
        sheet = builder.client.get(path).text
        for line in csv.reader(io.StringIO(sheet, newline=""), delimiter=separator):
            for cell in line:
                assert not is_formula(cell), (path, cell)
    assert "Emme; open" in builder.client.get("/admin/rooms.csv").text
    back = builder.client.get("/admin/rooms.csv").text
    assert "<strong>0 new</strong>, <strong>0 changed</strong>, 8 as they are" in send_sheet(builder, back).text
    assert sorted(listed(builder), key=lambda each: str(each["id"])) == before


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run it, or look at what follows the sign that it begins with."""
    return cell.lstrip(' "').startswith(FORMULA_SIGNS)


@pytest.mark.proves("P7")
def test_a_sheet_that_may_be_sent_can_be_imported_from_its_preview(builder: Browser) -> None:
    """What a form adds to each sign must not make it too long on its second way."""
    sheet = "address,name,capacity,building,floor\n" + "".join(
        f"r{number}@rooms.example,{'Ü' * 110},4,{'é' * 100},3\n" for number in range(130)
    )
    assert 50_000 < len(sheet.encode()) <= 60_000
    shown = send_sheet(builder, sheet)
    assert "130 new" in shown.text
    [kind] = re.findall(r'<form method="post" action="/admin/rooms/sheet"[^>]* enctype="([^"]+)"', shown.text)
    [carried] = re.findall(r'name="sheet" value="([^"]*)"', shown.text)
    form = {"csrf": builder.csrf, "apply": "yes", "sheet": html.unescape(carried)}
    answer = builder.client.post("/admin/rooms/sheet", data=form, content_type=kind)
    assert answer.headers["Location"] == "/admin/rooms?done=sheet"
    assert len(listed(builder)) == 130


@pytest.mark.proves("P7")
def test_a_form_comes_back_filled_with_the_wrong_field_marked(builder: Browser) -> None:
    form = {"csrf": builder.csrf, "address": "aare@rooms.example", "name": "Aare", "capacity": "many", "floor": "4"}
    refused = builder.client.post("/admin/rooms", data=form)
    assert refused.status_code == 422
    [wrong] = re.findall(r"<input [^>]*aria-invalid[^>]*>", refused.text)
    assert 'name="capacity"' in wrong
    assert 'value="many"' in wrong
    assert "autofocus" in wrong
    assert 'value="aare@rooms.example"' in refused.text
    assert 'id="wrong-capacity">The capacity of the room cannot be used.' in refused.text
    [room] = enter(builder, "birs")
    changed = builder.client.post(f"/admin/rooms/{room}", data={**form, "address": "birs@rooms.example"})
    assert changed.status_code == 422
    assert 'value="many"' in changed.text


@pytest.mark.proves("P7")
def test_the_table_finds_rooms_and_carries_the_command_that_mends_them(office: Office, builder: Browser) -> None:
    aare, _ = enter(builder, "aare", "o'brien")
    confirm(office, builder.tenant, aare)
    for number in range(3):
        room = office.room(builder, aare, RoomState.DECLINED, meeting=f"m-{number}", occurrence=f"o-{number}")
        office.show(office.meeting(builder, room, meeting=f"m-{number}"), builder.tenant)
    page = builder.client.get("/admin/rooms?q=AARE").text
    assert f'id="{aare}"' in page
    assert "brien" not in page
    assert "Set-CalendarProcessing -Identity &#39;aare@rooms.example&#39; -AllBookInPolicy $true" in page
    assert (
        '<th scope="col" role="columnheader" aria-sort="descending">'
        in builder.client.get("/admin/rooms?sort=seats&down=1").text
    )


@pytest.mark.proves("P7")
def test_the_form_of_an_administrator_comes_back_filled_and_taking_a_role_is_asked_first(
    office: Office, builder: Browser
) -> None:
    appoint(office, builder, Role.SUBSCRIPTION_ADMIN)
    form = {"csrf": builder.csrf, "address": "nobody at all", "role": "subscription-admin"}
    refused = builder.client.post("/admin/people", data=form)
    assert refused.status_code == 422
    [wrong] = re.findall(r"<input [^>]*aria-invalid[^>]*>", refused.text)
    assert 'value="nobody at all"' in wrong
    assert '<option value="subscription-admin" selected>' in refused.text
    assert 'id="wrong-address">This is not an e-mail address.' in refused.text
    page = builder.client.get("/admin/people").text
    assert re.search(r"<details class=\"asks\"><summary>Remove role<span [^>]*> [^<]*</span></summary>\s*<form", page)
