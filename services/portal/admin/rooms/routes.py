"""The administrators' pages and API for rooms: two faces of the same acts."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.rooms.deciding.floors import Floor
from services.portal.admin.rooms.deciding.room_form import RoomForm, read_room
from services.portal.admin.rooms.deciding.room_shapes import ListedRoom, RoomDate
from services.portal.admin.rooms.directory_import import RoomImport
from services.portal.admin.rooms.floor_day import add_floor_day
from services.portal.admin.rooms.import_routes import add_import
from services.portal.admin.rooms.presentation import RoomPresenter
from services.portal.admin.rooms.room_list import RoomList
from services.portal.admin.rooms.table_routes import DONE, add_table, removal_page
from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.deciding.refilled import Refilled
from services.portal.frame.problems import FieldProblemError
from services.portal.frame.sessions import require_right
from services.portal.interface.fields import Reference, RoomId
from services.portal.interface.operation import operation
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_day.parameters import read_zone, today_in
from shared.domain.roles import Right, may

_ROOM = '{"address": "…", "name": "…", "capacity": 8, "building": "…", "floor": "…", "equipment": ["…"], "accessible": true}'


class RoomListAnswer(TypedDict):
    """The organisation's rooms, by building, floor and name."""

    rooms: list[ListedRoom]


class ListedRoomAnswer(ListedRoom, TypedDict):
    """A room, and when it is asked for."""

    schedule: list[RoomDate]
    """Empty unless the room is connected and confirmed."""


class EnteredAnswer(TypedDict):
    """The room that was entered."""

    id: RoomId
    href: Reference


def blueprint(deps: Deps, reader: LiveReader, room_import: RoomImport) -> Blueprint:
    """The routes below `/admin/rooms` and `/v1/admin/rooms`."""
    bp = Blueprint("rooms", __name__)
    add_import(bp, deps, room_import)
    add_table(bp, deps, reader)
    add_floor_day(bp, deps, reader)
    _pages(bp, deps, reader)
    _api(bp, deps, reader)
    return bp


def _pages(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/admin/rooms/<room_id>")
    def room_page(room_id: str) -> str:
        return _room_page(deps, reader, room_id)

    @bp.post("/admin/rooms/<room_id>")
    def change_by_form(room_id: str) -> AnyResponse:
        try:
            book = _book(deps)
            book.change_room(room_id, read_room(request.form, book.find_room(room_id)))
        except FieldProblemError as error:
            return make_response(_room_page(deps, reader, room_id, error.refill(request.form)), error.status)
        return _back(f"/admin/rooms/{room_id}", "changed")

    @bp.post("/admin/rooms/<room_id>/remove")
    def remove_by_form(room_id: str) -> AnyResponse:
        book = _book(deps)
        book.find_room(room_id)
        if request.form.get("sure") != "yes":
            return make_response(removal_page(book, [room_id]))
        book.remove_room(room_id)
        return _back("/admin/rooms", "removed")

    @bp.post("/admin/rooms/<room_id>/<any(pair, unpair):act>")
    def pair_by_form(room_id: str, act: str) -> AnyResponse:
        _book(deps).set_paired(room_id, paired=act == "pair")
        return _back(f"/admin/rooms/{room_id}", "paired" if act == "pair" else "unpaired")


def _api(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/v1/admin/rooms")
    @operation(Right.SEE_ROOMS)
    def rooms() -> RoomListAnswer:
        """List the organisation's rooms, with how each is doing."""
        person = require_right(Right.SEE_ROOMS)
        return {"rooms": RoomPresenter(deps, reader, person).rooms(RoomList(deps, person).list_rooms())}

    @bp.get("/v1/admin/rooms/<room_id>")
    @operation(Right.SEE_ROOMS, problems=("no-such-room",))
    def room(room_id: str) -> ListedRoomAnswer:
        """Show a room, with the dates to come for which it is asked."""
        person = require_right(Right.SEE_ROOMS)
        row = RoomList(deps, person).find_room(room_id)
        shown = RoomPresenter(deps, reader, person)
        return {**shown.rooms({room_id: row})[0], "schedule": shown.schedule(room_id, row)}

    @bp.post("/v1/admin/rooms")
    @operation(
        Right.CHANGE_ROOMS,
        status=HTTPStatus.CREATED,
        body=RoomForm,
        problems=("json-missing", "room-invalid", "room-is-person", "room-known", "rooms-full"),
    )
    def enter() -> EnteredAnswer:
        """Enter a room into the list."""
        room_id = _book(deps).enter_room(read_room(require_object(_ROOM)))
        return {"id": room_id, "href": f"/v1/admin/rooms/{room_id}"}

    @bp.put("/v1/admin/rooms/<room_id>")
    @operation(
        Right.CHANGE_ROOMS,
        body=RoomForm,
        problems=("json-missing", "no-such-room", "room-invalid", "room-address-fixed"),
    )
    def change(room_id: str) -> None:
        """Replace a room's information; the address stays, since it is what the room is known by."""
        book = _book(deps)
        book.change_room(room_id, read_room(require_object(_ROOM), book.find_room(room_id)))

    @bp.delete("/v1/admin/rooms/<room_id>")
    @operation(Right.CHANGE_ROOMS, problems=("no-such-room",))
    def remove(room_id: str) -> None:
        """Take a room off the list; the room's own calendar is not touched."""
        _book(deps).remove_room(room_id)

    @bp.post("/v1/admin/rooms/<room_id>/<any(pair, unpair):act>")
    @operation(Right.CHANGE_ROOMS, problems=("no-such-room",))
    def pair(room_id: str, act: str) -> None:
        """Connect a room with its calendar, or part them; its information stays."""
        _book(deps).set_paired(room_id, paired=act == "pair")


def _room_page(deps: Deps, reader: LiveReader, room_id: str, form: Refilled | None = None) -> str:
    person = require_right(Right.SEE_ROOMS)
    book = RoomList(deps, person)
    row = book.find_room(room_id)
    shown, zone = RoomPresenter(deps, reader, person), read_zone()[0]
    return render_template(
        "room.html",
        person=person,
        room=shown.rooms({room_id: row})[0],
        schedule=shown.schedule(room_id, row),
        strip=shown.day_strip(room_id, row, today_in(deps, zone), zone),
        floor=Floor(row.building, row.floor),
        may_change=may(person.roles, Right.CHANGE_ROOMS),
        may_pair=book.is_enabled(),
        flash=DONE.get(request.args.get("done", ""), ""),
        form=form or Refilled(),
    )


def _book(deps: Deps) -> RoomList:
    return RoomList(deps, require_right(Right.CHANGE_ROOMS))


def _back(path: str, done: str) -> AnyResponse:
    return redirect(f"{path}?done={done}", HTTPStatus.SEE_OTHER)
