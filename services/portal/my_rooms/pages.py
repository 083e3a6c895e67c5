"""The pages of a person who is signed in, as the server renders them: they work without a script."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from services.portal.deps import Deps
from services.portal.frame.sessions import Person, anybody, signed_in
from services.portal.meetings.deciding.shapes import Json, choices_shape
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.personal_view import Desk
from services.portal.meetings.presentation import Showing
from services.portal.my_calendar.connection import why_not
from services.portal.my_rooms.api import connection
from services.portal.my_rooms.rebooking import Rebooking
from services.portal.my_rooms.stream import Mark
from shared.domain.instants import SECOND_MS, from_rfc3339

CONNECTION_WORDS = {
    "none": "Not connected",
    "connecting": "Connecting …",
    "first-sync": "First sync …",
    "active": "Connected",
    "connected": "Connected",
    "failing": "Trouble reaching your calendar",
    "suspended": "Refused for now",
    "revoked": "Disconnected",
    "sleeping": "Switched off",
    "disconnecting": "Disconnecting …",
}
CONNECTION_ADVICE = {
    "none": "Your calendar is not connected: nothing can be said about your rooms.",
    "failing": "Your calendar system does not answer us at the moment. We keep trying; connecting again may help.",
    "suspended": "Your calendar system refuses us at the moment. Your permission is kept, and we keep trying.",
    "revoked": "The permission to read your calendar was taken back. Connect again to see your rooms.",
    "sleeping": "Your organisation has switched this off for now. Ask your subscription administrator.",
}
STATE_WORDS = {
    "pending": "Pending",
    "accepted": "Accepted",
    "declined": "Declined",
    "released": "Released",
    "unknown": "Not known",
}
_FLASHES = {
    "asked": "The room is being asked. It is pending until it answers.",
    "dismissed": "The prompt was put away.",
}


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The routes of "My rooms"."""
    bp = Blueprint("pages", __name__)

    @bp.get("/")
    def my_rooms() -> Response | str:
        if anybody() is None:
            return redirect("/auth/login", HTTPStatus.SEE_OTHER)
        return _page(deps, reader, signed_in())

    @bp.get("/prompts/<prompt_id>")
    def choose(prompt_id: str) -> Response | str:
        if anybody() is None:
            return redirect(f"/auth/login?next=/prompts/{prompt_id}", HTTPStatus.SEE_OTHER)
        return _page(deps, reader, signed_in(), chosen=prompt_id)

    @bp.post("/prompts/<prompt_id>/take")
    def take(prompt_id: str) -> Response:
        room, key, also = request.form.get("roomId", ""), request.form.get("key", ""), request.form.getlist("also")
        _rebooking(deps, reader, signed_in()).take_all(prompt_id, also, room, key)
        return redirect("/?done=asked", HTTPStatus.SEE_OTHER)

    @bp.post("/prompts/<prompt_id>/dismiss")
    def dismiss(prompt_id: str) -> Response:
        _rebooking(deps, reader, signed_in()).dismiss_all(prompt_id, request.form.getlist("also"))
        return redirect("/?done=dismissed", HTTPStatus.SEE_OTHER)

    return bp


def register_filters(app: Flask) -> None:
    """The words that templates need."""
    app.template_filter("utc_day")(lambda text: f"{_moment(text):%a %-d %b}")
    app.template_filter("utc_clock")(lambda text: f"{_moment(text):%H:%M}")
    app.template_filter("state_word")(lambda state: STATE_WORDS.get(state, state))
    app.template_filter("place")(place)
    app.template_filter("long_day")(lambda text: f"{date.fromisoformat(text):%A %-d %B}")


def place(choice: Mapping[str, Any]) -> str:
    """`Riverside, floor 4`."""
    return ", ".join(filter(None, [choice["building"], choice["floor"] and f"floor {choice['floor']}"]))


def by_meeting(rooms: Sequence[Json]) -> list[Json]:
    """Room lines gathered under their date of their meeting, by time."""
    found: dict[str, Json] = {}
    for shape in rooms:
        each = found.setdefault(shape["occurrenceRef"], {**shape, "ref": shape["occurrenceRef"], "rooms": []})
        each["rooms"].append(shape)
    return sorted(found.values(), key=lambda each: str(each["start"]))


def _page(deps: Deps, reader: LiveReader, person: Person, chosen: str = "") -> str:
    desk = Desk(deps, person)
    standing = desk.standing()
    now_ms = deps.clock.now_ms()
    board = desk.board(standing.meetings.values(), at_ms=now_ms)
    showing = Showing(deps, reader, person, desk, board)
    rooms, prompts = showing.everything()
    group = next((each for each in prompts if chosen in {date["id"] for date in each["dates"]}), None)
    status = connection(deps, person)
    return render_template(
        "rooms.html",
        person=person,
        meetings=by_meeting(rooms),
        prompts=prompts,
        refused=showing.refused_takes(),
        rebuilding=standing.rebuilding,
        cursor=Mark(standing.revision, now_ms).text,
        connection={
            **status,
            "words": CONNECTION_WORDS[status["state"]],
            "advice": CONNECTION_ADVICE.get(status["state"], ""),
        },
        why_not=why_not(deps, person),
        chosen=group["id"] if group else chosen,
        choices=_choices(deps, reader, person, chosen, group) if chosen else None,
        key=secrets.token_urlsafe(16),
        flash=_flash(chosen, group),
    )


def _choices(deps: Deps, reader: LiveReader, person: Person, chosen: str, group: Json | None) -> Json | None:
    rebooking = _rebooking(deps, reader, person)
    dates = [date["id"] for date in group["dates"]] if group else []
    prompt, *others = rebooking.together(dates[0] if dates else chosen, dates)
    return choices_shape(prompt, rebooking.choices(prompt, *others)) if prompt.open else None


def _flash(chosen: str, group: Json | None) -> str:
    if chosen and group is None:
        return "Nothing has to be done for this prompt any more."
    return _FLASHES.get(request.args.get("done", ""), "")


def _rebooking(deps: Deps, reader: LiveReader, person: Person) -> Rebooking:
    return Rebooking(deps, reader, person, Desk(deps, person))


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(from_rfc3339(text) // SECOND_MS, tz=UTC)
