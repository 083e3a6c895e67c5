"""Rooms as CSV, in a table, and the commands that mend them."""

from __future__ import annotations

import csv
import io
import itertools
from typing import Any

import pytest

from services.portal.admin.rooms.deciding.remedy import remedies_for
from services.portal.admin.rooms.deciding.room_form import read_room
from services.portal.admin.rooms.deciding.room_shapes import ListedRoom
from services.portal.admin.rooms.deciding.room_sheet import MAX_LINES, plan_sheet, write_rooms
from services.portal.admin.rooms.deciding.room_table import PAGE_ROOMS, RoomQuery, page_of, read_query
from services.portal.frame.deciding.sheets import FORMULA_SIGNS, read_cell, write_sheet
from services.portal.frame.problems import ProblemError
from services.portal.meetings.deciding.health import Health, RoomCheck
from shared.contracts.rows import RoomProof, RoomRow
from shared.domain.identity import Provider

TROUBLED = Health(RoomCheck.NO, RoomCheck.NO, RoomCheck.NO, 0, 3, 1, None, ("Mend it.",))


def room(name: str, *, building: str = "", floor: str = "", seats: int = 8, fix: str = "", **more: Any) -> ListedRoom:
    return ListedRoom(
        id=f"r-{name}",
        name=name,
        address=f"{name}@rooms.test".lower(),
        capacity=seats,
        building=building,
        floor=floor,
        equipment=more.get("equipment", []),
        accessible=more.get("accessible"),
        paired=True,
        confirmed=RoomProof.DIRECTORY,
        confirm=None,
        health={
            "visible": RoomCheck.YES, "bookable": RoomCheck.YES, "answers": RoomCheck.YES, "accepted": 4, "declined": 0,
            "waiting": 0, "usualAnswer": "4 s", "fixes": [fix] if fix else [],
        },
        remedies=[],
    )  # fmt: skip


@pytest.mark.proves("P7")
@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_no_cell_of_a_sheet_is_a_formula_and_each_is_read_as_it_was(sign: str) -> None:
    text = f"{sign}cmd|'/c calc'!A0"
    [[cell, blank]] = list(csv.reader(io.StringIO(write_sheet(["a", "b"], [[text, f"  {sign}1"]]), newline="")))[1:]
    assert not cell.startswith(FORMULA_SIGNS)
    assert not blank.lstrip().startswith(FORMULA_SIGNS)
    assert read_cell(cell) == text
    assert write_sheet(["n"], [[-5]]) == "n\r\n-5\r\n"


@pytest.mark.proves("P7")
@pytest.mark.parametrize("quote", ["'", "\u2018", "\u2019", "\u201a", "\u201b"])
def test_no_address_ends_the_string_of_a_command(quote: str) -> None:
    commands = [
        each["command"] for each in remedies_for(Provider.MICROSOFT, f"a{quote}; Stop-Computer {quote}", TROUBLED)
    ]
    assert len(commands) == 4
    for command in commands:
        inside = command.partition(" -Identity '")[2].rpartition("'")[0]
        runs = [len(list(run)) for sign, run in itertools.groupby(inside) if sign == quote]
        assert runs == [2, 2], "PowerShell reads two quotation marks inside a string as one"
    assert remedies_for(Provider.MICROSOFT, "a\nStop-Computer", TROUBLED) == ()
    assert [each["command"] for each in remedies_for(Provider.GOOGLE, "a@resource.calendar.google.com", TROUBLED)] == [
        ""
    ] * 3


@pytest.mark.proves("P7")
def test_a_sheet_says_what_is_new_changed_and_wrong_before_anything_is_done() -> None:
    known = {"aare@x.test": RoomRow(address="aare@x.test", name="Aare", capacity=6)}
    plan = plan_sheet(
        "\ufeffName;Address;capacity\nAare;aare@x.test;8\nBirs;BIRS@x.test;\nBirs;birs@x.test;\nNo;nowhere;\n;c@x.test;many\n",
        known,
        str,
    )
    assert (list(plan.new), list(plan.changed), plan.same) == (["birs@x.test"], ["aare@x.test"], 0)
    assert [error.line for error in plan.errors] == [4, 5, 6]
    assert not plan.applies
    assert plan_sheet("address,name,capacity\naare@x.test,Aare,6\n", known, str).same == 1
    assert plan_sheet("name\nAare\n", known, str).errors[0].line == 0
    assert plan_sheet('address\n"a@x.test\n', known, str).errors[0].line == 0
    foreign = "address,name\nz@x.test,Zürich\n".encode("cp1252").decode(errors="replace")
    assert [error.line for error in plan_sheet(foreign, known, str).errors] == [0]
    many = "address\n" + "".join(f"r{n}@x.test\n" for n in range(MAX_LINES + 1))
    assert plan_sheet(many, known, str).errors[0].line == 0


@pytest.mark.proves("P7")
def test_a_sheet_that_was_written_changes_nothing_when_it_is_read() -> None:
    shown = {each["id"]: each for each in (room("=Aare", building="Zürich"), room("Birs", floor="-1"))}
    known = {
        each["address"]: RoomRow(
            address=each["address"], name=each["name"], capacity=8, building=each["building"], floor=each["floor"]
        )
        for each in shown.values()
    }
    plan = plan_sheet(write_rooms(list(shown.values())), known, str)
    assert (plan.same, plan.new, plan.changed, list(plan.errors)) == (2, {}, {}, [])


@pytest.mark.proves("P7")
def test_a_sheet_leaves_alone_what_it_has_no_column_for() -> None:
    birs = RoomRow(address="birs@rooms.test", name="Birs", capacity=8, building="Zürich", floor="2")
    plan = plan_sheet("address,capacity\nbirs@rooms.test,9\n", {birs.address: birs}, str)
    assert plan.changes == {birs.address: ("Seats: 8 → 9",)}
    assert plan_sheet("address,building\nbirs@rooms.test,\n", {birs.address: birs}, str).changes == {
        birs.address: ("Building: Zürich → not said",)
    }


@pytest.mark.proves("P7")
def test_equipment_goes_out_and_in_and_a_sheet_without_it_takes_none_away() -> None:
    said = {"equipment": ("Screen", "=Board"), "accessible": False}
    known = {"birs@rooms.test": RoomRow(address="birs@rooms.test", name="Birs", capacity=8, **said)}
    sheet = write_rooms([room("Birs", equipment=["Screen", "=Board"], accessible=False)])
    assert plan_sheet(sheet, known, str).same == 1
    older = plan_sheet("address,name,capacity\nbirs@rooms.test,Birs,9\n", known, str).changed["birs@rooms.test"]
    assert (older.equipment, older.accessible) == (("Screen", "=Board"), False)
    plan = plan_sheet("address,name,capacity,equipment,accessible\nbirs@rooms.test,Birs,8,,yes\n", known, str)
    changed = plan.changed["birs@rooms.test"]
    assert (changed.equipment, changed.accessible) == ((), True)
    assert plan.changes["birs@rooms.test"] == ("Equipment: Screen, =Board → not said", "Wheelchair: no → yes")
    refused = plan_sheet(f"address,accessible\na@x.test,perhaps\nb@x.test,\n{'x' * 9}@x.test,no\n", {}, str)
    assert [error.line for error in refused.errors] == [2]


@pytest.mark.proves("P7")
@pytest.mark.parametrize("sent", ["Screen,  Board", ["Screen", "Board"]])
def test_equipment_is_a_list_or_names_with_commas_between_them(sent: str | list[str]) -> None:
    row = read_room({"address": "a@b.example", "equipment": sent, "accessible": True})
    assert (row.equipment, row.accessible) == (("Screen", "Board"), True)
    assert read_room({"address": "a@b.example"}, row).equipment == ("Screen", "Board")
    for wrong in ("x" * 61, ["x"] * 21, "a,b," * 11):
        with pytest.raises(ProblemError, match="equipment"):
            read_room({"address": "a@b.example", "equipment": wrong})


@pytest.mark.proves("P7")
def test_rooms_are_found_by_what_is_in_them() -> None:
    rooms = [
        room("Aare", equipment=["Screen"]),
        room("Birs", equipment=["Écran", "Screen"], accessible=True),
        room("Cher"),
    ]

    def names(**sent: str) -> list[str]:
        return [each["name"] for each in page_of(rooms, read_query(sent)).rooms]

    assert (names(equipment="Screen"), names(accessible="1"), names(q="ecran")) == (
        ["Aare", "Birs"],
        ["Birs"],
        ["Birs"],
    )
    page = page_of(rooms, read_query({"equipment": "Screen", "accessible": "1"}))
    assert (page.equipment, page.query.address(page=1)) == (["Écran", "Screen"], "?equipment=Screen&accessible=1")


@pytest.mark.proves("P7")
def test_rooms_are_found_filtered_sorted_and_turned_over() -> None:
    rooms = [
        room("Aare", building="Zürich", floor="2", seats=4),
        room("Birs", building="Zürich", floor="10", fix="Mend it."),
        room("Cher", building="Bern", seats=20),
        room("Doubs", building="", fix="Say where it is."),
    ]

    def names(query: RoomQuery) -> list[str]:
        return [each["name"] for each in page_of(rooms, query).rooms]

    assert names(read_query({"q": "zurich BIRS"})) == ["Birs"]
    assert names(read_query({"building": "Zürich", "floor": "2"})) == ["Aare"]
    assert names(read_query({"health": "attention"})) == ["Birs", "Doubs"]
    assert names(read_query({"health": "well", "sort": "seats", "down": "1"})) == ["Cher", "Aare"]
    assert names(read_query({"sort": "no such", "health": "?", "page": "99999999"})) == [
        "Cher",
        "Birs",
        "Aare",
        "Doubs",
    ]
    assert page_of(rooms, RoomQuery(building="Bern")).floors == []
    query = read_query({"q": "a", "sort": "name", "page": "2"})
    assert (query.sorted_by("name"), query.sorted_by("seats")) == ("?q=a&sort=name&down=1", "?q=a&sort=seats")
    many = page_of([room(f"R{n}") for n in range(PAGE_ROOMS + 1)], RoomQuery(page=9))
    assert (many.found, many.pages, many.query.page, len(many.rooms)) == (PAGE_ROOMS + 1, 2, 2, 1)
