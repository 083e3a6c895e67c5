"""Where a person works on a day and attends a meeting from, set by a form of the agenda or by JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.sessions import signed_in
from services.portal.my_day.live_answers import redirect_to_day
from services.portal.my_day.parameters import read_day, read_occurrence, read_place, read_zone, today_in
from services.portal.my_day.places import Places, WorkPlace


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
    def mark(day: str) -> tuple[str, HTTPStatus]:
        place = read_place(str(require_object().get("place") or ""))
        Places(deps, signed_in()).set_day(read_day(day, date.min), place)
        return "", HTTPStatus.NO_CONTENT

    @bp.delete("/v1/me/office-days/<day>")
    def unmark(day: str) -> tuple[str, HTTPStatus]:
        Places(deps, signed_in()).set_day(read_day(day, date.min), WorkPlace.UNKNOWN)
        return "", HTTPStatus.NO_CONTENT

    @bp.put("/v1/me/attendances/<meeting>/<occurrence>")
    def attend(meeting: str, occurrence: str) -> tuple[str, HTTPStatus]:
        sent = require_object()
        named = {"meeting": meeting, "occurrence": occurrence, "end": str(sent.get("end") or "")}
        _set_attendance(deps, named, read_place(str(sent.get("place") or "")))
        return "", HTTPStatus.NO_CONTENT

    @bp.delete("/v1/me/attendances/<meeting>/<occurrence>")
    def leave_open(meeting: str, occurrence: str) -> tuple[str, HTTPStatus]:
        _set_attendance(deps, {"meeting": meeting, "occurrence": occurrence}, WorkPlace.UNKNOWN)
        return "", HTTPStatus.NO_CONTENT


def _set_attendance(deps: Deps, named: Mapping[str, Any], place: WorkPlace) -> None:
    person = signed_in()
    Places(deps, person).set_attendance(*read_occurrence(named, deps.clock.now_ms()), place)


def _form_day(deps: Deps) -> date:
    zone, _ = read_zone()
    return read_day(request.form.get("date", ""), today_in(deps, zone))
