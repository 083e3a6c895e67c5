"""The list of rooms as CSV: written, read, and compared with the list as it stands. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

from services.portal.admin.rooms.deciding.room_form import read_room, with_information
from services.portal.admin.rooms.deciding.room_plan import WHEELCHAIR, RoomPlan, SheetError, describe_changes
from services.portal.admin.rooms.deciding.room_shapes import ListedRoom
from services.portal.frame.deciding.sheets import read_cell, write_sheet
from services.portal.frame.problems import ProblemError
from shared.contracts.rows import RoomRow
from shared.language.deciding.sentences import join_sentences, say

MAX_LINES = 1_000
COLUMNS = ("address", "name", "capacity", "building", "floor", "equipment", "accessible")
"""What is read; others are left alone, so that a sheet that was written here can be changed and read again."""
_KEPT = ("name", "capacity", "building", "floor")
"""What a sheet without the column leaves as it stands, beside what `read_room` itself leaves."""
NOT_DECODED = "\ufffd"
"""Stands in the text of a file for what is no UTF-8: what spreadsheets write as plain CSV has the encoding of their country."""
_WRITTEN = (*COLUMNS, "connected", "confirmed", "visible", "bookable", "answers", "accepted", "declined", "waiting")


def write_rooms(rooms: Sequence[ListedRoom]) -> str:
    """The rooms as CSV, with how each is doing."""
    return write_sheet(_WRITTEN, (_cells(each) for each in rooms))


def read_rooms(
    text: str, find_room: Callable[[str], RoomRow | None]
) -> tuple[list[tuple[int, RoomRow]], list[SheetError]]:
    """
    Read the rooms of a sheet with the number of the line that each stands on, and what cannot be read.

    Columns that the sheet lacks keep what `find_room` knows at an address.
    """
    rows, errors = list[tuple[int, RoomRow]](), list[SheetError]()
    if NOT_DECODED in text:
        return [], [
            SheetError(0, say("This is not UTF-8: save it as “CSV UTF-8”, or letters with accents would be lost."))
        ]
    try:
        for line, found in _lines(text, find_room):
            if isinstance(found, RoomRow):
                rows.append((line, found))
            else:
                errors.append(SheetError(line, found))
    except csv.Error:
        return [], [SheetError(0, say("This is not a table of comma-separated values."))]
    return rows, errors


def plan_sheet(text: str, known: Mapping[str, RoomRow], room_id: Callable[[str], str]) -> RoomPlan:
    """
    Compare a sheet with the list.

    Args:
        text: The sheet, with the names of its columns in the first line.
        known: Room id → room, as the list stands.
        room_id: Names the room that has an address.
    """
    rows, errors = read_rooms(text, lambda address: known.get(room_id(address.lower())))
    new, changed, seen, same = dict[str, RoomRow](), dict[str, RoomRow](), set[str](), 0
    changes = dict[str, tuple[str, ...]]()
    for line, row in rows:
        room = room_id(row.address)
        before = known.get(room)
        if room in seen:
            errors.append(SheetError(line, say("A line above has the same address.")))
        elif before is None:
            new[room] = row
        elif (now := with_information(row, before)) != before:
            changed[room] = now
            changes[room] = tuple(describe_changes(before, now))
        else:
            same += 1
        seen.add(room)
    return RoomPlan(new, changed, changes, same=same, errors=sorted(errors, key=lambda each: each.line))


def _lines(text: str, find_room: Callable[[str], RoomRow | None]) -> Iterator[tuple[int, RoomRow | str]]:
    """Each line's number with its room, or with why it has none."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), dialect=_dialect(text), strict=True)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if "address" not in reader.fieldnames:
        yield (
            0,
            say("The first line names the columns: {columns}. There is no `address` among them.").format(
                columns=", ".join(COLUMNS)
            ),
        )
        return
    for count, cells in enumerate(reader):
        if count >= MAX_LINES:
            yield 0, say("A sheet has {most} rooms at most: divide it.").format(most=f"{MAX_LINES:,}")
            return
        if any(cells.get(name) for name in COLUMNS):
            yield reader.line_num, _room_of(cells, find_room)


def _dialect(text: str) -> type[csv.Dialect]:
    """Spreadsheets of many languages write semicolons, since the comma is in their numbers."""
    head = text.partition("\n")[0]

    class Dialect(csv.excel):
        delimiter = max((",", ";", "\t"), key=head.count)

    return Dialect


def _room_of(cells: Mapping[str, str | None], find_room: Callable[[str], RoomRow | None]) -> RoomRow | str:
    sent = {name: read_cell(cells.get(name) or "") for name in COLUMNS if name in cells}
    before = find_room(sent["address"].strip())
    kept = {name: getattr(before, name) for name in _KEPT if name not in cells} if before else {}
    try:
        return read_room({**kept, **sent}, before)
    except ProblemError as error:
        return join_sentences(error.title, error.next_step)


def _cells(room: ListedRoom) -> tuple[str | int | None, ...]:
    health = room["health"]
    return (
        room["address"], room["name"], room["capacity"], room["building"], room["floor"],
        ", ".join(room["equipment"]), WHEELCHAIR[room["accessible"]],
        "yes" if room["paired"] else "no", room["confirmed"] or "no", health["visible"], health["bookable"], health["answers"],
        health["accepted"], health["declined"], health["waiting"],
    )  # fmt: skip
