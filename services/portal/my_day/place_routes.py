"""Where a person works on a day and attends a meeting from, set by a form of the agenda or by JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.sessions import signed_in
from services.portal.interface.operation import operation
from services.portal.my_day.live_answers import redirect_to_day
from services.portal.my_day.parameters import (
    AttendanceBody,
    PlaceBody,
    read_day,
    read_occurrence,
    read_place,
    read_zone,
    today_in,
)
from services.portal.my_day.places import Places, WorkPlace
from shared.domain.roles import Right

_DAY_PROBLEMS = ("date-invalid", "place-invalid")
_DATE_PROBLEMS = ("meeting-invalid", "place-invalid")


def add(bp: Blueprint, deps: Deps) -> None:
    """Add the forms below `/day`, and `/v1/me/office-days` and `/v1/me/attendances`."""
    _add_forms(bp, deps)
    _add_api(bp, deps)


def _add_forms(bp: Blueprint, deps: Deps) -> None:
    @bp.post("/day/place")
    def mark_by_form() -> Response:
        day = _form_day(deps)
        Places(deps, signed_in()).set_day(day, read_place(request.form.get("place", "")))
        return redirect_to_day(request.form.get("from", ""), "marked", day)

    @bp.post("/day/attendance")
    def attend_by_form() -> Response:
        _set_attendance(deps, request.form, read_place(request.form.get("place", "")))
        return redirect_to_day(request.form.get("from", ""), "placed", _form_day(deps))


def _add_api(bp: Blueprint, deps: Deps) -> None:
    @bp.put("/v1/me/office-days/<day>")
    @operation(Right.OWN_CALENDAR, body=PlaceBody, problems=(*_DAY_PROBLEMS, "json-missing", "date-past", "date-far"))
    def mark(day: str) -> None:
        """Say where one works on a day."""
        place = read_place(str(require_object().get("place") or ""))
        Places(deps, signed_in()).set_day(read_day(day, date.min), place)

    @bp.delete("/v1/me/office-days/<day>")
    @operation(Right.OWN_CALENDAR, problems=_DAY_PROBLEMS)
    def unmark(day: str) -> None:
        """Take back where one works on a day."""
        Places(deps, signed_in()).set_day(read_day(day, date.min), WorkPlace.UNKNOWN)

    @bp.put("/v1/me/attendances/<meeting>/<occurrence>")
    @operation(Right.OWN_CALENDAR, body=AttendanceBody, problems=(*_DATE_PROBLEMS, "json-missing", "attendances-full"))
    def attend(meeting: str, occurrence: str) -> None:
        """Say from where one attends one date of a meeting."""
        sent = require_object()
        named = {"meeting": meeting, "occurrence": occurrence, "end": str(sent.get("end") or "")}
        _set_attendance(deps, named, read_place(str(sent.get("place") or "")))

    @bp.delete("/v1/me/attendances/<meeting>/<occurrence>")
    @operation(Right.OWN_CALENDAR, problems=_DATE_PROBLEMS)
    def leave_open(meeting: str, occurrence: str) -> None:
        """Leave it to the day from where one attends."""
        _set_attendance(deps, {"meeting": meeting, "occurrence": occurrence}, WorkPlace.UNKNOWN)


def _set_attendance(deps: Deps, named: Mapping[str, Any], place: WorkPlace) -> None:
    person = signed_in()
    Places(deps, person).set_attendance(*read_occurrence(named, deps.clock.now_ms()), place)


def _form_day(deps: Deps) -> date:
    zone, _ = read_zone()
    return read_day(request.form.get("date", ""), today_in(deps, zone))
