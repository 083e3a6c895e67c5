"""The table of an organisation's rooms: found, sorted, changed many at once, written and read as CSV."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.rooms.deciding.room_form import read_room
from services.portal.admin.rooms.deciding.room_sheet import COLUMNS, MAX_LINES, write_rooms
from services.portal.admin.rooms.deciding.room_table import PAGE_ROOMS, needs_attention, page_of, read_query
from services.portal.admin.rooms.presentation import RoomPresenter
from services.portal.admin.rooms.room_list import RoomList
from services.portal.deps import Deps
from services.portal.frame.deciding.refilled import Refilled
from services.portal.frame.deciding.sheets import MEDIA_TYPE
from services.portal.frame.problems import FieldProblemError
from services.portal.frame.sessions import Person, require_right
from services.portal.meetings.live_reader import LiveReader
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.openid import asked_for
from shared.domain.identity import Provider
from shared.domain.roles import Right, may
from shared.language.deciding.sentences import say

DONE = {
    "entered": say("The room is in the list."),
    "changed": say("The room's information was changed."),
    "removed": say("The room was taken off the list. Its own calendar was not touched."),
    "paired": say("The room is connected."),
    "unpaired": say("The room is no longer connected. Its information stays."),
    "sheet": say("The sheet was imported."),
    "several-removed": say("The rooms were taken off the list. Their own calendars were not touched."),
    "several-paired": say("The rooms are connected."),
    "several-unpaired": say("The rooms are no longer connected. Their information stays."),
    "none": say("No room was chosen, so nothing was changed."),
    "imported": say("The directory's rooms are in the list as you saw them."),
}
"""What a page says of the act that led to it."""


def add_table(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    """Add `/admin/rooms`, `/admin/rooms.csv` and the acts on many rooms to `bp`."""

    @bp.get("/admin/rooms")
    def rooms_page() -> str:
        return _table(deps, reader, require_right(Right.SEE_ROOMS))

    @bp.get("/admin/rooms.csv")
    def rooms_sheet() -> Response:
        person = require_right(Right.SEE_ROOMS)
        rooms = RoomPresenter(deps, reader, person).rooms(RoomList(deps, person).list_rooms())
        return Response(
            write_rooms(rooms),
            content_type=MEDIA_TYPE,
            headers={"Content-Disposition": "attachment; filename=rooms.csv"},
        )

    @bp.post("/admin/rooms")
    def enter_by_form() -> AnyResponse:
        person = require_right(Right.CHANGE_ROOMS)
        try:
            room_id = RoomList(deps, person).enter_room(read_room(request.form))
        except FieldProblemError as error:
            return make_response(_table(deps, reader, person, error.refill(request.form)), error.status)
        return redirect(f"/admin/rooms/{room_id}?done=entered", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/rooms/selected/<any(pair, unpair, remove):act>")
    def change_selected(act: str) -> AnyResponse:
        book = RoomList(deps, require_right(Right.CHANGE_ROOMS))
        chosen = request.form.getlist("room")[:PAGE_ROOMS]
        if act == "remove" and chosen and request.form.get("sure") != "yes":
            return make_response(removal_page(book, chosen))
        return redirect(f"/admin/rooms?done={_change(book, chosen, act)}", HTTPStatus.SEE_OTHER)

    @bp.post("/admin/rooms/sheet")
    def preview_sheet() -> AnyResponse:
        person = require_right(Right.CHANGE_ROOMS)
        book, text = RoomList(deps, person), _sheet()
        if request.form.get("apply") == "yes" and book.apply_sheet(text).applies:
            return redirect("/admin/rooms?done=sheet", HTTPStatus.SEE_OTHER)
        return make_response(
            render_template("rooms_sheet.html", person=person, plan=book.plan_sheet(text), sheet=text, columns=COLUMNS)
        )


def _table(deps: Deps, reader: LiveReader, person: Person, form: Refilled | None = None) -> str:
    book = RoomList(deps, person)
    rooms = RoomPresenter(deps, reader, person).rooms(book.list_rooms())
    return render_template(
        "rooms_admin.html",
        person=person,
        total=len(rooms),
        it=page_of(rooms, read_query(request.args)),
        troubled=sum(map(needs_attention, rooms)),
        may_change=may(person.roles, Right.CHANGE_ROOMS),
        may_pair=book.is_enabled(),
        permissions=asked_for(Provider(person.provider), Purpose.ROOMS, writes=deps.settings.may_write),
        flash=DONE.get(request.args.get("done", ""), ""),
        form=form or Refilled(),
        columns=COLUMNS,
        max_lines=MAX_LINES,
    )


def removal_page(book: RoomList, chosen: list[str]) -> str:
    """Ask whether the rooms are to be taken off the list."""
    rows = {room_id: row for room_id, row in book.list_rooms().items() if room_id in chosen}
    return render_template("rooms_removal.html", person=require_right(Right.CHANGE_ROOMS), rooms=rows)


def _change(book: RoomList, chosen: list[str], act: str) -> str:
    """Do `act` to the rooms. Returns the word for what was done."""
    if not chosen:
        return "none"
    done = book.remove_rooms(chosen) if act == "remove" else book.set_all_paired(chosen, paired=act == "pair")
    return f"several-{'removed' if act == 'remove' else f'{act}ed'}" if done else "none"


def _sheet() -> str:
    """The file that was sent, or the text that the preview brings back."""
    file = request.files.get("file")
    return file.read().decode("utf-8", errors="replace") if file else request.form.get("sheet", "")
