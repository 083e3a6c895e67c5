"""The latest incident of the organisation, as a page and as JSON, and ending it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import CSRF_HEADER, Person, require_right
from shared.contracts.rows import DeclineIncidentRow
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right, may
from shared.organisations.decline_incidents import INCIDENT_PAGE, describe_cause, read_latest, release

API = f"/v1{INCIDENT_PAGE}"
RELEASED = "incident.released"
"""The act in the audit."""


def blueprint(deps: Deps) -> Blueprint:
    """`/admin/incident` and `/v1/admin/incident`, and `…/release` below both."""
    bp = Blueprint("incident", __name__)

    @bp.get(INCIDENT_PAGE)
    def page() -> str:
        person = require_right(Right.SEE_INTEGRATION)
        may_release = may(person.roles, Right.SWITCH_INTEGRATION)
        return render_template("incident.html", it=_latest(deps, person), csrf=person.csrf, may_release=may_release)

    @bp.get(API)
    def api() -> Response:
        person = require_right(Right.SEE_INTEGRATION)
        return jsonify({"incident": _latest(deps, person), "csrf": person.csrf, "csrfHeader": CSRF_HEADER})

    @bp.post(f"{INCIDENT_PAGE}/release")
    def release_by_form() -> AnyResponse:
        _release(deps, require_right(Right.SWITCH_INTEGRATION))
        return redirect(INCIDENT_PAGE, HTTPStatus.SEE_OTHER)

    @bp.post(f"{API}/release")
    def release_by_program() -> Response:
        person = require_right(Right.SWITCH_INTEGRATION)
        _release(deps, person)
        return jsonify({"incident": _latest(deps, person)})

    return bp


def _release(deps: Deps, person: Person) -> None:
    """Raises ProblemError (409): nothing is held."""
    ended = release(deps.engine.registry, person.tenant, deps.clock.now_ms())
    if ended is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "nothing-held",
            "No messages are held.",
            next_step="They are sent already, or are being sent: there is nothing to do.",
        )
    entries.record(deps, person, RELEASED, about=ended.id)


def _latest(deps: Deps, person: Person) -> dict[str, Any] | None:
    row = read_latest(deps.engine.registry, person.tenant)
    return _shape(deps, person, row) if row else None


def _shape(deps: Deps, person: Person, row: DeclineIncidentRow) -> dict[str, Any]:
    words = describe_cause(deps.engine.registry, person.tenant, row.cause, row.about, row.share)
    return {
        "id": row.id,
        "began": to_rfc3339(row.began_at_ms),
        "last": to_rfc3339(row.last_at_ms),
        "over": to_rfc3339(row.over_at_ms) if row.over_at_ms else None,
        "released": bool(row.released_at_ms),
        "declines": row.declines,
        "upcoming": row.upcoming,
        "cause": {"kind": row.cause, "about": row.about, "share": row.share, "words": words},
    }
