"""The HTTP face of Google Calendar and its Directory: routes, and nothing else."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request

from simulator.google import access, administrators, batch, freebusy, query, resources
from simulator.google.access import ReachedCalendar
from simulator.google.errors import invalid, not_found
from simulator.google.gate import arguments, caller, guard, is_overridden, principal, sent
from simulator.google.render import GoogleRenderer
from simulator.google.side import BATCH, CALENDAR, DIRECTORY, EXTENSION, GoogleSide, side
from simulator.world import World

_SEND_UPDATES = {None, "all", "externalOnly", "none"}


def register(app: Flask, world: World) -> None:
    """Mount Google on an application."""
    app.register_blueprint(blueprint(world))


def blueprint(world: World) -> Blueprint:
    """The routes; what the side keeps is found through the application it is mounted on."""
    routes = Blueprint("google", __name__)
    google = GoogleSide.of(world)
    routes.record(lambda state: state.app.extensions.update({EXTENSION: google}))
    guard(routes)
    calendar = f"{CALENDAR}/calendars/<path:calendar_id>"
    one = f"{calendar}/events/<event_id>"
    for rule, view, methods in (
        (f"{calendar}/events", list_events, ["GET"]),
        (f"{calendar}/events", insert_event, ["POST"]),
        (f"{calendar}/events/watch", watch_events, ["POST"]),
        (one, get_event, ["GET", "POST"]),
        (one, patch_event, ["PATCH"]),
        (one, update_event, ["PUT"]),
        (one, delete_event, ["DELETE"]),
        (f"{one}/instances", list_instances, ["GET", "POST"]),
        (f"{CALENDAR}/channels/stop", stop_channel, ["POST"]),
        (f"{CALENDAR}/freeBusy", query_free_busy, ["POST"]),
        (f"{DIRECTORY}/customer/<customer>/resources/calendars", list_resources, ["GET", "POST"]),
        (f"{DIRECTORY}/customer/<customer>/domains", list_domains, ["GET"]),
        (f"{DIRECTORY}/users/<user_key>", get_user, ["GET"]),
        (BATCH, serve_batch, ["POST"]),
    ):
        routes.add_url_rule(rule, view.__name__, view, methods=methods)
    return routes


def list_events(calendar_id: str) -> Response:
    """`events.list`."""
    asked = query.read(arguments())
    with side().world.lock:
        return jsonify(side().listing.page(_reach_calendar(calendar_id, access.READ_EVENTS), asked))


def insert_event(calendar_id: str) -> Response:
    """`events.insert`, or a list whose query was too long for an address."""
    if is_overridden():
        return list_events(calendar_id)
    _check_send_updates()
    with side().world.lock:
        return jsonify(side().events.insert(_reach_calendar(calendar_id, access.WRITE_EVENTS), sent()))


def get_event(calendar_id: str, event_id: str) -> Response:
    """`events.get`; 304 when the caller has this version."""
    if request.method == "POST" and not is_overridden():
        not_found()
    args = arguments()
    most = query.number(args, "maxAttendees", 1, 10_000) if "maxAttendees" in args else None
    with side().world.lock:
        reached = _reach_calendar(calendar_id, access.READ_EVENTS)
        renderer = GoogleRenderer(side().world, reached.mailbox, max_attendees=most, zone=args.get("timeZone"))
        found = side().events.get(reached, event_id, renderer)
    if request.headers.get("If-None-Match") == found["etag"]:
        return Response(status=304, headers={"ETag": found["etag"]})
    return jsonify(found)


def patch_event(calendar_id: str, event_id: str) -> Response:
    """`events.patch`."""
    _check_send_updates()
    with side().world.lock:
        reached = _reach_calendar(calendar_id, access.WRITE_EVENTS)
        return jsonify(side().events.patch(reached, event_id, sent(), request.headers.get("If-Match")))


def update_event(calendar_id: str, event_id: str) -> Response:
    """`events.update`."""
    _check_send_updates()
    with side().world.lock:
        reached = _reach_calendar(calendar_id, access.WRITE_EVENTS)
        return jsonify(side().events.update(reached, event_id, sent(), request.headers.get("If-Match")))


def delete_event(calendar_id: str, event_id: str) -> Response:
    """`events.delete`."""
    _check_send_updates()
    with side().world.lock:
        side().events.delete(
            _reach_calendar(calendar_id, access.WRITE_EVENTS), event_id, request.headers.get("If-Match")
        )
    return Response(status=204)


def list_instances(calendar_id: str, event_id: str) -> Response:
    """`events.instances`."""
    if request.method == "POST" and not is_overridden():
        not_found()
    args = arguments()
    size = query.number(args, "maxResults", query.DEFAULT_PAGE, query.LARGEST_PAGE)
    offset = args.get("pageToken", "0")
    if not offset.isdigit():
        invalid("Invalid page token value.", "pageToken")
    with side().world.lock:
        reached = _reach_calendar(calendar_id, access.READ_EVENTS)
        renderer = GoogleRenderer(side().world, reached.mailbox, zone=args.get("timeZone"))
        cancelled = bool(query.flag(args, "showDeleted"))
        found = side().events.dates(reached, event_id, renderer, query.read_times(args), cancelled=cancelled)
        head = side().listing.head(reached, args.get("timeZone"))
    start, end = int(offset), int(offset) + size
    more: dict[str, Any] = {"nextPageToken": str(end)} if end < len(found) else {}
    return jsonify({**head, "items": found[start:end], **more})


def watch_events(calendar_id: str) -> Response:
    """`events.watch`."""
    base_url = request.host_url.rstrip("/") + CALENDAR
    with side().world.lock:
        reached = _reach_calendar(calendar_id, access.READ_EVENTS | {"calendar.events.freebusy"})
        return jsonify(side().channels.watch(reached, principal(), sent(), base_url))


def stop_channel() -> Response:
    """`channels.stop`."""
    access.demand(principal(), access.READ_EVENTS | {"calendar.events.freebusy"})
    with side().world.lock:
        side().channels.stop(principal(), sent())
    return Response(status=204)


def query_free_busy() -> Response:
    """`freeBusy.query`."""
    narrow = {"calendar.freebusy"} if side().world.faults.contradicts("google.free-busy-scope") else set()
    access.demand(principal(), access.FREE_BUSY - narrow)
    with side().world.lock:
        return jsonify(freebusy.query(side().world, caller(), sent()))


def list_resources(customer: str) -> Response:
    """The Directory's `resources.calendars.list`."""
    if request.method == "POST" and not is_overridden():
        not_found()
    access.demand(principal(), access.RESOURCES)
    with side().world.lock:
        return jsonify(resources.page(side().world, caller(), customer, arguments()))


def list_domains(customer: str) -> Response:
    """The Directory's `domains.list`."""
    access.demand(principal(), access.DOMAINS)
    with side().world.lock:
        return jsonify(administrators.domains(side().world, caller(), customer))


def get_user(user_key: str) -> Response:
    """The Directory's `users.get`."""
    access.demand(principal(), access.USERS)
    with side().world.lock:
        return jsonify(administrators.user(side().world, caller(), user_key))


def serve_batch() -> Response:
    """The batch endpoint."""
    return batch.serve(current_app)


def _reach_calendar(calendar_id: str, allowed: set[str]) -> ReachedCalendar:
    return access.reach(side().world, principal(), calendar_id, allowed)


def _check_send_updates() -> None:
    value = request.args.get("sendUpdates")
    if value not in _SEND_UPDATES:
        invalid(f"Invalid value for: {value}", "sendUpdates")
