"""The JSON API of an employee's day: what the pages show and do."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, request

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import signed_in
from services.portal.meetings.deciding.choices import LABEL
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_day.booking import Booking
from services.portal.my_day.deciding.agenda import COUNTING_RULE, next_month
from services.portal.my_day.deciding.booking_form import read_booking
from services.portal.my_day.parameters import attended, browser_zone, day_in, month_in, place_in, span_days, today
from services.portal.my_day.places import Place, Places
from services.portal.my_day.presentation import DayShown
from services.portal.my_rooms.parameters import IDEMPOTENCY_HEADER
from shared.domain.instants import to_rfc3339


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The routes of the day below `/v1/me`."""
    bp = Blueprint("day-api", __name__, url_prefix="/v1/me")

    @bp.get("/agenda")
    def agenda() -> Response:
        person = signed_in()
        zone, _ = browser_zone()
        first = day_in(request.args.get("from", ""), today(deps, zone))
        days = DayShown(deps, reader, person, zone).agenda(first, span_days())
        return jsonify({"zone": zone.key, "days": days})

    @bp.get("/month")
    def month() -> Response:
        person = signed_in()
        zone, _ = browser_zone()
        first = month_in(today(deps, zone))
        counted = DayShown(deps, reader, person, zone).counts(first, (next_month(first) - first).days)
        days = [{"date": day.date.isoformat(), "meetings": day.meetings} for day in counted]
        return jsonify({"zone": zone.key, "month": f"{first:%Y-%m}", "rule": COUNTING_RULE, "days": days})

    @bp.put("/office-days/<day>")
    def mark(day: str) -> tuple[str, HTTPStatus]:
        Places(deps, signed_in()).set_day(_date(day), place_in(str(_sent().get("place") or "")))
        return "", HTTPStatus.NO_CONTENT

    @bp.delete("/office-days/<day>")
    def unmark(day: str) -> tuple[str, HTTPStatus]:
        Places(deps, signed_in()).set_day(_date(day), Place.UNKNOWN)
        return "", HTTPStatus.NO_CONTENT

    @bp.put("/attendances/<meeting>/<occurrence>")
    def attend(meeting: str, occurrence: str) -> tuple[str, HTTPStatus]:
        sent = _sent()
        _place(deps, meeting, occurrence, place_in(str(sent.get("place") or "")), str(sent.get("end") or ""))
        return "", HTTPStatus.NO_CONTENT

    @bp.delete("/attendances/<meeting>/<occurrence>")
    def leave_open(meeting: str, occurrence: str) -> tuple[str, HTTPStatus]:
        _place(deps, meeting, occurrence, Place.UNKNOWN, "")
        return "", HTTPStatus.NO_CONTENT

    @bp.post("/bookings")
    def book() -> tuple[Response, HTTPStatus]:
        person = signed_in()
        zone, _ = browser_zone()
        wish = read_booking(_sent(), zone, deps.clock.now_ms())
        made = Booking(deps, reader, person).book(wish, request.headers.get(IDEMPOTENCY_HEADER, ""))
        shape = {
            "eventId": made.event_id,
            "roomId": made.room_id,
            "roomName": made.room.name,
            "state": "pending",
            "label": LABEL,
            "start": to_rfc3339(made.start_ms),
            "end": to_rfc3339(made.end_ms),
        }
        return jsonify(shape), HTTPStatus.CREATED

    return bp


def _place(deps: Deps, meeting: str, occurrence: str, place: Place, end: str) -> None:
    person = signed_in()
    named = {"meeting": meeting, "occurrence": occurrence, "end": end}
    Places(deps, person).set_attendance(*attended(named, deps.clock.now_ms()), place)


def _date(text: str) -> date:
    return day_in(text, date.min)


def _sent() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "json-missing", "The body must be a JSON object.", next_step="Send one."
        )
    return body
