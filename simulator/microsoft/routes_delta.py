"""`calendarView/delta`: the window in the token, pages by `Prefer`, one delta link at the end."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.microsoft import wire
from simulator.microsoft.access import READ, mailbox_route
from simulator.microsoft.errors import GraphError
from simulator.microsoft.preferences import preferences
from simulator.microsoft.render import GraphRenderer
from simulator.microsoft.rounds import RoundWindow
from simulator.microsoft.routes_events import link
from simulator.microsoft.side import BASE, side
from simulator.world import User

delta = Blueprint("graph-delta", __name__, url_prefix=BASE)

_REFUSED = ("$select", "$expand", "$filter", "$orderby", "$search")


@mailbox_route(delta, "/calendarView/delta", "GET", *READ)
def calendar_view_delta(owner: User) -> Response:
    """A first round needs both times; afterwards the links carry everything."""
    for name in _REFUSED:
        if name in request.args:
            raise GraphError(400, "ErrorInvalidUrlQuery", f"The following parameters are not supported: {name}.")
    asked, world = preferences(), side().world
    with world.lock:
        try:
            token = _skip_token(owner)
        except GraphError as error:
            if error.status == 410:  # noqa: PLR2004 (Gone)
                error.headers["Location"] = link({"$deltatoken": ""})
            raise
        page = side().rounds.page(owner.id, token, asked.page_size, GraphRenderer(world, owner, asked.time_zone))
    body: dict[str, Any] = {
        "@odata.context": f"{request.host_url}{BASE[1:]}/$metadata#Collection(event)",
        "value": page.events,
    }
    if page.skip_token is not None:
        body["@odata.nextLink"] = link({"$skiptoken": page.skip_token})
    if page.delta_token is not None:
        body["@odata.deltaLink"] = link({"$deltatoken": page.delta_token})
    answer = jsonify(body)
    applied = [f'IdType="{asked.id_type}"'] if asked.id_type else []
    applied += [f"odata.maxpagesize={asked.page_size}"] if asked.page_size else []
    if applied:
        answer.headers["Preference-Applied"] = ", ".join(applied)
    return answer


def _skip_token(owner: User) -> str:
    if request.args.get("$skiptoken"):
        return request.args["$skiptoken"]
    if request.args.get("$deltatoken"):
        return side().rounds.since(owner.id, request.args["$deltatoken"])
    start, end = request.args.get("startDateTime"), request.args.get("endDateTime")
    if not start or not end:
        raise GraphError(400, "ErrorInvalidParameter", "This request requires startDateTime and endDateTime.")
    window = RoundWindow(wire.parse_instant(start, "startDateTime"), wire.parse_instant(end, "endDateTime"))
    return side().rounds.first(owner.id, window)
