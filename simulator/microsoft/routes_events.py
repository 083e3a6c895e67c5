"""Events of one's own mailbox: read, book, change, cancel, answer."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from simulator.microsoft import parse, wire
from simulator.microsoft.access import READ, WRITE, mailbox_route
from simulator.microsoft.errors import GraphError, not_found
from simulator.microsoft.preferences import preferences
from simulator.microsoft.render import GraphRenderer
from simulator.microsoft.side import BASE, side
from simulator.world import AttendeeAnswer, Copy, Instance, Meeting, NotOrganizerError, User

events = Blueprint("graph-events", __name__, url_prefix=BASE)

_ANSWERS = {
    "accept": AttendeeAnswer.ACCEPTED,
    "tentativelyAccept": AttendeeAnswer.TENTATIVE,
    "decline": AttendeeAnswer.DECLINED,
}
_ICAL_FILTER = re.compile(r"iCalUId\s+eq\s+'([^']+)'", re.IGNORECASE)
_DEFAULT_TOP = 10
_MAX_TOP = 1000


def renderer(owner: User) -> GraphRenderer:
    """Writes events for the owner in the time zone that the request prefers."""
    return GraphRenderer(side().world, owner, preferences().time_zone)


@mailbox_route(events, "/events", "GET", *READ)
def list_events(owner: User) -> Response:
    """Single meetings and series masters; `$filter` knows `iCalUId eq '...'` only."""
    world, wanted = side().world, request.args.get("$filter")
    match = _ICAL_FILTER.search(wanted) if wanted else None
    if wanted and not match:
        raise GraphError(400, "ErrorInvalidUrlQueryFilter", "Only a filter by iCalUId is simulated.")
    with world.lock:
        held = [pair for pair in world.calendar.copies(owner.id) if not match or pair[1].ical_uid == match.group(1)]
        held.sort(key=lambda pair: pair[1].start_ms)
        return _listed([renderer(owner).event(*pair) for pair in held])


@mailbox_route(events, "/calendarView", "GET", *READ)
def calendar_view(owner: User) -> Response:
    """Every date in the window, series expanded, in order."""
    start_ms = wire.parse_instant(_required("startDateTime"), "startDateTime")
    end_ms = wire.parse_instant(_required("endDateTime"), "endDateTime")
    return _listed(_dates(owner, None, start_ms, end_ms))


@mailbox_route(events, "/events/<event_id>/instances", "GET", *READ)
def instances(owner: User, event_id: str) -> Response:
    """The dates of one series in the window."""
    start_ms = wire.parse_instant(_required("startDateTime"), "startDateTime")
    end_ms = wire.parse_instant(_required("endDateTime"), "endDateTime")
    return _listed(_dates(owner, event_id, start_ms, end_ms))


@mailbox_route(events, "/events", "POST", *WRITE)
def create_event(owner: User) -> tuple[Response, int]:
    """Book: the organiser is the mailbox's owner."""
    world, draft = side().world, parse.draft(parse.body())
    with world.lock:
        meeting = world.bookings.create(owner.id, draft)
        copy = world.calendar.copy_of(owner.id, meeting.id)
        if copy is None:
            raise not_found()
        return jsonify(_context(renderer(owner).event(copy, meeting))), 201


@mailbox_route(events, "/events/<event_id>", "GET", *READ)
def get_event(owner: User, event_id: str) -> Response:
    """One event, or one date of a series."""
    with side().world.lock:
        return jsonify(_context(_selected(_rendered(owner, event_id))))


@mailbox_route(events, "/events/<event_id>", "PATCH", *WRITE)
def update_event(owner: User, event_id: str) -> Response:
    """Change what is named; an attendee list replaces the whole list, and answers of those who stay are kept."""
    world, sent = side().world, parse.body()
    with world.lock:
        copy, meeting, occurrence = _located(owner, event_id)
        _matches(copy)
        if copy.is_organizer:
            forgets = world.faults.contradicts("microsoft.answers-survive-patch")
            keeps = world.faults.contradicts("microsoft.written-decline-opens")
            edit = parse.edit(sent, forgets_answers=forgets, keeps_declines=keeps)
            world.bookings.update(meeting, edit, occurrence)
        else:
            _own_view(copy, sent)
        return jsonify(_context(_rendered(owner, event_id)))


@mailbox_route(events, "/events/<event_id>", "DELETE", *WRITE)
def delete_event(owner: User, event_id: str) -> tuple[str, int]:
    """The organiser cancels; a guest only loses the own copy."""
    world = side().world
    with world.lock:
        copy, meeting, occurrence = _located(owner, event_id)
        _matches(copy)
        if copy.is_organizer:
            world.bookings.cancel(meeting, occurrence)
        else:
            world.bookings.remove_copy(owner.id, meeting)
    return "", 204


@mailbox_route(events, "/events/<event_id>/cancel", "POST", *WRITE)
def cancel_event(owner: User, event_id: str) -> tuple[str, int]:
    """Cancel with a message: organisers only."""
    world = side().world
    with world.lock:
        copy, meeting, occurrence = _located(owner, event_id)
        if not copy.is_organizer:
            message = "You need to be an organizer to cancel a meeting."
            raise NotOrganizerError(message)
        world.bookings.cancel(meeting, occurrence)
    return "", 202


@mailbox_route(events, "/events/<event_id>/<any(accept, tentativelyAccept, decline):verb>", "POST", *WRITE)
def respond(owner: User, event_id: str, verb: str) -> tuple[str, int]:
    """A guest answers; without `sendResponse` nothing reaches the organiser."""
    world, sent = side().world, request.get_json(force=True, silent=True) or {}
    with world.lock:
        copy, meeting, occurrence = _located(owner, event_id)
        if copy.is_organizer:
            raise GraphError(400, "ErrorInvalidRequest", "Your request can't be completed. You're the organizer.")
        world.desk.answer(
            meeting,
            owner.address,
            _ANSWERS[verb],
            occurrence=occurrence,
            comment=str(sent.get("comment", sent.get("Comment")) or ""),
            send_response=sent.get("sendResponse", sent.get("SendResponse", True)) is not False,
        )
    return "", 202


def _located(owner: User, event_id: str) -> tuple[Copy, Meeting, int | None]:
    calendar = side().world.calendar
    for copy, meeting in calendar.copies(owner.id):
        master, occurrence = wire.split_id(event_id, len(copy.event_id))
        if master == copy.event_id:
            if occurrence is not None and not any(date.key == occurrence for date in calendar.dates(copy)):
                raise not_found()
            return copy, meeting, occurrence
    if side().world.faults.contradicts("microsoft.gone-is-404"):
        raise GraphError(410, "ErrorItemGone", "The item was deleted.")
    raise not_found()


def _rendered(owner: User, event_id: str) -> dict[str, Any]:
    copy, meeting, occurrence = _located(owner, event_id)
    if occurrence is None:
        return renderer(owner).event(copy, meeting)
    for date in side().world.calendar.dates(copy):
        if date.key == occurrence and not date.cancelled:
            return renderer(owner).date(copy, meeting, date)
    raise not_found()


def _dates(owner: User, event_id: str | None, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
    world = side().world
    found: list[tuple[Copy, Meeting, Instance]] = []
    with world.lock:
        pairs = world.calendar.copies(owner.id) if event_id is None else [_located(owner, event_id)[:2]]
        for copy, meeting in pairs:
            found += [
                (copy, meeting, date)
                for date in world.calendar.dates(copy)
                if not date.cancelled and date.start_ms < end_ms and date.end_ms > start_ms
            ]
        found.sort(key=lambda one: (one[2].start_ms, one[0].event_id))
        return [renderer(owner).date(*one) for one in found]


def _own_view(copy: Copy, sent: dict[str, Any]) -> None:
    if {"start", "end", "attendees", "location", "locations", "recurrence"} & set(sent):
        message = "Only the organizer can change time, place or attendees."
        raise NotOrganizerError(message)
    copy.private.update({name: sent[name] for name in ("showAs", "categories") if name in sent})
    side().world.calendar.touch(copy, cause="own-view")


def _matches(copy: Copy) -> None:
    wanted = request.headers.get("If-Match")
    if wanted and wanted != "*" and wanted != wire.etag(copy.event_id, copy.version):
        text = "The change key passed in the request does not match the current change key for the item."
        raise GraphError(412, "ErrorIrresolvableConflict", text)


def _required(name: str) -> str:
    value = request.args.get(name)
    if not value:
        raise GraphError(400, "ErrorInvalidParameter", f"This request requires a time window: {name} is missing.")
    return value


def _listed(items: list[dict[str, Any]]) -> Response:
    top, skip = _number("$top", preferences().page_size or _DEFAULT_TOP), _number("$skip", 0)
    top = max(1, min(top, _MAX_TOP))
    body: dict[str, Any] = {
        "@odata.context": f"{request.host_url}{BASE[1:]}/$metadata#Collection(event)",
        "value": [_selected(item) for item in items[skip : skip + top]],
    }
    if request.args.get("$count") == "true":
        body["@odata.count"] = len(items)
    if skip + top < len(items):
        query = {**request.args.to_dict(), "$top": str(top), "$skip": str(skip + top)}
        body["@odata.nextLink"] = link(query)
    return jsonify(body)


def link(query: dict[str, str]) -> str:
    """The current path with another query, as an absolute address."""
    return f"{request.base_url}?{urlencode(query)}"


def _number(name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdigit() else default


def _selected(item: dict[str, Any]) -> dict[str, Any]:
    wanted = request.args.get("$select")
    if not wanted:
        return item
    names = {name.strip() for name in wanted.split(",")} | {"id", "@odata.type", "@odata.etag"}
    return {name: value for name, value in item.items() if name in names}


def _context(item: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.context": f"{request.host_url}{BASE[1:]}/$metadata#users/events/$entity", **item}
