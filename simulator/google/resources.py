"""The Directory API's list of rooms: ordered, filtered by a query, in pages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from werkzeug.datastructures import MultiDict

from simulator.google.errors import ApiError, invalid, not_found
from simulator.google.query import number
from simulator.world import Room, User, World

NOT_ADMINS = "notAdmins"
_LARGEST_PAGE = 500
_DEFAULT_PAGE = 100
_CLAUSE = re.compile(r'(?P<not>NOT\s+)?(?P<field>[\w.]+)\s*(?P<op>!=|=|:)\s*("(?P<quoted>[^"]*)"|(?P<bare>\S+))')


def _generated_name(room: Room) -> str:
    return "-".join(part for part in (room.building, room.floor, room.name) if part) + f" ({room.capacity})"


_FIELDS: dict[str, Callable[[Room], str]] = {
    "generatedResourceName": _generated_name,
    "name": lambda room: room.name,
    "buildingId": lambda room: room.building,
    "floor_name": lambda room: room.floor,
    "capacity": lambda room: str(room.capacity),
    "resourceEmail": lambda room: room.address,
    "resourceCategory": lambda _: "CONFERENCE_ROOM",
}
_ORDERS: dict[str, Callable[[Room], Any]] = {
    "resourceId": lambda room: room.id,
    "resourceName": lambda room: room.name,
    "capacity": lambda room: room.capacity,
    "buildingId": lambda room: room.building,
    "floorName": lambda room: room.floor,
}


def declare(world: World) -> None:
    """Add the switch for people who may not read the directory."""
    world.faults.declare(NOT_ADMINS, [], "addresses of people whom the Directory API refuses")


def page(world: World, user: User, customer: str, args: MultiDict[str, str]) -> dict[str, Any]:
    """
    One page of the rooms of the caller's organisation. Called inside the world's lock.

    Raises:
        ApiError: 403 for those who are no administrators, 404 for another customer, 400 for a bad parameter.
    """
    if user.address in world.faults.get(NOT_ADMINS, "google"):
        raise ApiError(403, "forbidden", "Not Authorized to access this resource/api")
    if customer not in {"my_customer", user.tenant_id}:
        not_found()
    wanted = _filter(args.get("query", ""))
    rooms = [room for room in world.directory.rooms_of(user.tenant_id) if wanted(room)]
    field, _, direction = args.get("orderBy", "resourceId").partition(" ")
    if field not in _ORDERS or direction.lower() not in {"", "asc", "desc"}:
        invalid("Invalid value for: orderBy", "orderBy")
    rooms.sort(key=_ORDERS[field], reverse=direction.lower() == "desc")
    size, offset = number(args, "maxResults", _DEFAULT_PAGE, _LARGEST_PAGE), _offset(args.get("pageToken", ""))
    body: dict[str, Any] = {
        "kind": "admin#directory#resources#calendars#calendarResourcesList",
        "etag": f'"{len(rooms)}-{world.ids.seed}"',
        "items": [_as_dict(room) for room in rooms[offset : offset + size]],
    }
    if offset + size < len(rooms):
        body["nextPageToken"] = base64.urlsafe_b64encode(f"rooms:{offset + size}".encode()).decode()
    return body


def _as_dict(room: Room) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "admin#directory#resources#calendars#CalendarResource",
        "etags": f'"{room.id[:8]}"',
        "resourceId": room.id,
        "resourceName": room.name,
        "generatedResourceName": _generated_name(room),
        "resourceEmail": room.address,
        "resourceCategory": "CONFERENCE_ROOM",
        "capacity": room.capacity,
    }
    if room.building:
        found["buildingId"] = room.building
    if room.floor:
        found["floorName"] = room.floor
    if room.section:
        found["floorSection"] = room.section
    if room.description:
        found["userVisibleDescription"] = room.description
    if room.equipment:
        found["featureInstances"] = [
            {"feature": {"kind": "admin#directory#resources#features#Feature", "name": each}} for each in room.equipment
        ]
    return found


def _filter(text: str) -> Callable[[Room], bool]:
    clauses = [part for part in re.split(r"\s+AND\s+", text.strip()) if part]
    tests = [_clause(part) for part in clauses]
    return lambda room: all(test(room) for test in tests)


def _clause(text: str) -> Callable[[Room], bool]:
    found = _CLAUSE.fullmatch(text)
    if found is None or found["field"] not in _FIELDS:
        invalid("Invalid value for: query", "query")
    read, operator = _FIELDS[found["field"]], found["op"]
    wanted = (found["quoted"] if found["quoted"] is not None else found["bare"]).lower()
    negated = bool(found["not"]) != (operator == "!=")

    def test(room: Room) -> bool:
        value = read(room).lower()
        matches = value.startswith(wanted.rstrip("*")) if operator == ":" else value == wanted
        return matches != negated

    return test


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        name, _, offset = base64.urlsafe_b64decode(token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name, offset = "", ""
    if name != "rooms" or not offset.isdigit():
        invalid("Invalid Input: pageToken", "pageToken")
    return int(offset)
