"""Who one is, which rooms there are, and who is free."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, jsonify, request

from simulator.microsoft import parse, wire
from simulator.microsoft.access import FREE_BUSY, PLACES, PROFILE, caller, mailbox_route, needs
from simulator.microsoft.errors import GraphError
from simulator.microsoft.preferences import preferences
from simulator.microsoft.side import BASE, side
from simulator.world import AttendeeAnswer, BusyTime, Room, User

people = Blueprint("graph-people", __name__, url_prefix=BASE)

MAX_SCHEDULES = 20
_MINUTE_MS = 60_000
_MAX_PERIOD_MS = 42 * 86_400_000
_DIGITS = {AttendeeAnswer.ACCEPTED: "2", AttendeeAnswer.NONE: "1", AttendeeAnswer.TENTATIVE: "1"}
_STATUS = {"2": "busy", "1": "tentative"}
_ROOM_LIST = "any('microsoft.graph.roomlist', 'microsoft.graph.roomList', 'graph.roomList')"
"""The same cast as the pages write it and as the official client sends it."""
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]


@mailbox_route(people, "", "GET", *PROFILE)
def profile(owner: User) -> Response:
    """The signed-in person; the addresses that reach them only where they are selected."""
    shown: dict[str, Any] = {
        "id": owner.id[::-1] if side().world.faults.contradicts("microsoft.person-id") else owner.id,
        "displayName": owner.name,
        "givenName": owner.name.partition(" ")[0],
        "surname": owner.name.partition(" ")[2],
        "mail": owner.address,
        "userPrincipalName": owner.login,
        "businessPhones": [],
        "jobTitle": None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
    }
    wanted = request.args.get("$select")
    if wanted:
        everything = {**shown, "proxyAddresses": _proxy_addresses(owner)}
        shown = {name: everything[name] for name in wanted.split(",") if name in everything}
    return jsonify({"@odata.context": f"{request.host_url}{BASE[1:]}/$metadata#users/$entity", **shown})


def _proxy_addresses(owner: User) -> list[str]:
    """As Exchange writes them: the kind before each, in capitals for the main one; not all kinds are mail."""
    if side().world.faults.contradicts("microsoft.own-addresses"):
        return []
    return [f"SMTP:{owner.address}", *(f"smtp:{alias}" for alias in owner.aliases), f"SIP:{owner.login}"]


@mailbox_route(people, "/mailboxSettings", "GET", "MailboxSettings.Read", *FREE_BUSY)
def mailbox_settings(owner: User) -> Response:
    """The time zone a person works in."""
    return jsonify({"timeZone": owner.time_zone})


@mailbox_route(people, "/calendar/getSchedule", "POST", *FREE_BUSY)
def get_schedule(owner: User) -> Response:
    """Free and busy of up to twenty addresses; a bad address is an error inside a 200."""
    sent = parse.body()
    schedules = sent.get("schedules", sent.get("Schedules")) or []
    faults = side().world.faults
    most = MAX_SCHEDULES // 2 if faults.contradicts("microsoft.schedule-twenty") else MAX_SCHEDULES
    if not schedules or len(schedules) > most:
        raise GraphError(400, "ErrorInvalidParameter", f"schedules must hold 1 to {most} addresses.")
    start_ms, _ = wire.parse_date_time(sent.get("startTime", sent.get("StartTime")), "startTime")
    end_ms, _ = wire.parse_date_time(sent.get("endTime", sent.get("EndTime")), "endTime")
    if not start_ms < end_ms <= start_ms + _MAX_PERIOD_MS:
        raise GraphError(400, "ErrorInvalidTimeInterval", "The period must be longer than nothing and under 42 days.")
    minutes = int(sent.get("availabilityViewInterval", sent.get("AvailabilityViewInterval")) or 30)
    if not 5 <= minutes <= 1440:  # noqa: PLR2004 (the documented bounds)
        raise GraphError(400, "ErrorInvalidParameter", "availabilityViewInterval must be 5 to 1440.")
    with side().world.lock:
        found = [_schedule(owner, str(one), start_ms, end_ms, minutes) for one in schedules]
    if faults.contradicts("microsoft.schedule-unknown-address") and any("error" in one for one in found):
        raise GraphError(404, "ErrorMailRecipientNotFound", "A specified address could not be resolved.")
    context = f"{request.host_url}{BASE[1:]}/$metadata#Collection(scheduleInformation)"
    return jsonify({"@odata.context": context, "value": found})


@people.get("/places/<any('microsoft.graph.room', 'graph.room'):_cast>")
def rooms(_cast: str) -> Response:
    """The rooms of the caller's organisation."""
    needs(*PLACES)
    return _listed([_room(room) for room in _own_rooms()], "rooms")


@people.get(f"/places/<{_ROOM_LIST}:_cast>")
def room_lists(_cast: str) -> Response:
    """One list per building, addressed by e-mail."""
    needs(*PLACES)
    buildings = sorted({room.building for room in _own_rooms() if room.building})
    domain = side().world.directory.tenant(caller().tenant_id).domain
    lists = [
        {
            "id": side().world.ids.guid("room-list", domain, building),
            "displayName": building,
            "emailAddress": _list_address(building, domain),
        }
        for building in buildings
    ]
    return _listed(lists, "roomLists")


@people.get(f"/places/<address>/<{_ROOM_LIST}:_cast>/rooms")
def rooms_of_list(address: str, _cast: str) -> Response:
    """The rooms of one list."""
    needs(*PLACES)
    domain = side().world.directory.tenant(caller().tenant_id).domain
    wanted = unquote(address).lower()
    return _listed([_room(one) for one in _own_rooms() if _list_address(one.building, domain) == wanted], "rooms")


def _own_rooms() -> list[Room]:
    with side().world.lock:
        return side().world.directory.rooms_of(caller().tenant_id)


def _list_address(building: str, domain: str) -> str:
    return f"rooms-{''.join(c for c in building.lower() if c.isalnum())}@{domain}"


def _room(room: Room) -> dict[str, Any]:
    return {
        "id": room.id,
        "displayName": room.name,
        "emailAddress": room.address,
        "nickname": room.name,
        "building": room.building or None,
        "floorLabel": room.floor or None,
        "floorNumber": int(room.floor) if room.floor.lstrip("-").isdigit() else None,
        "capacity": room.capacity,
        "bookingType": "standard",
        "audioDeviceName": None,
        "videoDeviceName": None,
        "displayDeviceName": room.equipment[0] if room.equipment else None,
        "isWheelChairAccessible": room.accessible,
        "tags": list(room.equipment[1:]),
    }


def _listed(items: list[dict[str, Any]], kind: str) -> Response:
    top = int(request.args.get("$top") or 100)
    skip = int(request.args.get("$skip") or 0)
    body: dict[str, Any] = {
        "@odata.context": f"{request.host_url}{BASE[1:]}/$metadata#places/{kind}",
        "value": items[skip : skip + top],
    }
    if request.args.get("$count") == "true":
        body["@odata.count"] = len(items)
    if skip + top < len(items):
        body["@odata.nextLink"] = f"{request.base_url}?$top={top}&$skip={skip + top}"
    return jsonify(body)


def _schedule(caller_: User, address: str, start_ms: int, end_ms: int, minutes: int) -> dict[str, Any]:
    mailbox = side().world.directory.find(address)
    if mailbox is None or mailbox.tenant_id != caller_.tenant_id:
        error = {
            "message": "The specified address could not be resolved.",
            "responseCode": "ErrorMailRecipientNotFound",
        }
        return {"scheduleId": address, "availabilityView": "", "scheduleItems": [], "error": error}
    busy = side().world.calendar.busy(address, start_ms, end_ms)
    return {
        "scheduleId": address,
        "availabilityView": _view(busy, start_ms, end_ms, minutes * _MINUTE_MS),
        "scheduleItems": [_item(one) for one in busy],
        "workingHours": {
            "daysOfWeek": _WEEKDAYS,
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": mailbox.time_zone},
        },
    }


def _view(busy: list[BusyTime], start_ms: int, end_ms: int, step_ms: int) -> str:
    digits = []
    for slot_ms in range(start_ms, end_ms, step_ms):
        held = [_DIGITS[one.answer] for one in busy if one.start_ms < slot_ms + step_ms and one.end_ms > slot_ms]
        digits.append(max(held, default="0"))
    return "".join(digits)


def _item(busy: BusyTime) -> dict[str, Any]:
    zone_name = preferences().time_zone
    return {
        "isPrivate": False,
        "status": _STATUS[_DIGITS[busy.answer]],
        "start": wire.date_time(busy.start_ms, zone_name),
        "end": wire.date_time(busy.end_ms, zone_name),
    }
