"""The latest incident of the organisation, as a page and as JSON, and ending it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypedDict

from flask import Blueprint, redirect, render_template
from msgspec import Meta
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, change_token, require_right
from services.portal.interface.fields import ChangeToken, Count, Instant
from services.portal.interface.operation import operation
from shared.contracts.rows import DeclineIncidentRow
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right, may
from shared.language.deciding.sentences import say
from shared.organisations.decline_incidents import INCIDENT_PAGE, describe_cause, read_latest, release

API = f"/v1{INCIDENT_PAGE}"
RELEASED = "incident.released"
"""The act in the audit."""


class CauseShape(TypedDict):
    """What the declines have in common."""

    kind: Annotated[str, Meta(examples=["building"])]
    about: Annotated[str, Meta(examples=["North"])]
    share: Count
    """How many of the declines have it in common."""
    words: Annotated[str, Meta(examples=["9 of 10 of these rooms are in North."])]


class IncidentShape(TypedDict):
    """Many rooms of the organisation said no at once."""

    id: Annotated[str, Meta(examples=["i-3f5h7j2l4n6p"])]
    began: Instant
    last: Instant
    """When the latest of the declines came."""
    over: Instant | None
    released: bool
    """Whether an administrator sent what was held."""
    declines: Count
    upcoming: Count
    cause: CauseShape


class IncidentAnswer(TypedDict):
    """The latest incident; null when there has been none."""

    incident: IncidentShape | None


class IncidentForPrograms(IncidentAnswer, ChangeToken):
    """The same with the token that every change carries."""


def blueprint(deps: Deps) -> Blueprint:
    """`/admin/incident` and `/v1/admin/incident`, and `…/release` below both."""
    bp = Blueprint("incident", __name__)

    @bp.get(INCIDENT_PAGE)
    def page() -> str:
        person = require_right(Right.SEE_INTEGRATION)
        may_release = may(person.roles, Right.SWITCH_INTEGRATION)
        return render_template("incident.html", it=_latest(deps, person), csrf=person.csrf, may_release=may_release)

    @bp.get(API)
    @operation(Right.SEE_INTEGRATION)
    def api() -> IncidentForPrograms:
        """Show the latest incident: many rooms of the organisation said no at once, and messages were held."""
        person = require_right(Right.SEE_INTEGRATION)
        return {"incident": _latest(deps, person), **change_token(person)}

    @bp.post(f"{INCIDENT_PAGE}/release")
    def release_by_form() -> AnyResponse:
        _release(deps, require_right(Right.SWITCH_INTEGRATION))
        return redirect(INCIDENT_PAGE, HTTPStatus.SEE_OTHER)

    @bp.post(f"{API}/release")
    @operation(Right.SWITCH_INTEGRATION, problems=("nothing-held",))
    def release_by_program() -> IncidentAnswer:
        """Send the messages that are held."""
        person = require_right(Right.SWITCH_INTEGRATION)
        _release(deps, person)
        return {"incident": _latest(deps, person)}

    return bp


def _release(deps: Deps, person: Person) -> None:
    """Raises ProblemError (409): nothing is held."""
    ended = release(deps.engine.registry, person.tenant, deps.clock.now_ms())
    if ended is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "nothing-held",
            say("No messages are held."),
            next_step=say("They are sent already, or are being sent: there is nothing to do."),
        )
    entries.record(deps, person, RELEASED, about=ended.id)


def _latest(deps: Deps, person: Person) -> IncidentShape | None:
    row = read_latest(deps.engine.registry, person.tenant)
    return _shape(deps, person, row) if row else None


def _shape(deps: Deps, person: Person, row: DeclineIncidentRow) -> IncidentShape:
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
