"""The page that shows the day of every room of a floor."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from flask import Blueprint, render_template, request

from services.portal.admin.rooms.deciding.floors import choose_floor, list_floors
from services.portal.admin.rooms.deciding.room_table import PAGE_ROOMS
from services.portal.admin.rooms.presentation import RoomPresenter
from services.portal.admin.rooms.room_list import RoomList
from services.portal.deps import Deps
from services.portal.frame.sessions import require_right
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_day.parameters import read_day, read_zone, today_in
from shared.domain.roles import Right


def add_floor_day(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    """Add `/admin/rooms/day` to `bp`: `place` and `date` in its query; without them the first floor, today."""

    @bp.get("/admin/rooms/day")
    def floor_day() -> str:
        person = require_right(Right.SEE_ROOMS)
        zone = read_zone()[0]
        day = read_day(request.args.get("date", ""), today_in(deps, zone))
        rooms = RoomList(deps, person).list_rooms()
        floors = list_floors(rooms.values())
        chosen = choose_floor(floors, request.args.get("place", ""))
        shown = RoomPresenter(deps, reader, person)
        there = {room_id: row for room_id, row in rooms.items() if chosen and chosen.holds(row)}
        return render_template(
            "rooms_day.html",
            floors=floors,
            chosen=chosen,
            day=day.isoformat(),
            before=(day - timedelta(days=1)).isoformat(),
            after=(day + timedelta(days=1)).isoformat(),
            found=len(there),
            rooms=[
                (room_id, row, shown.day_strip(room_id, row, day, zone))
                for room_id, row in islice(there.items(), PAGE_ROOMS)
            ],
        )
