"""What became of the organisation's rooms over some days, as a page and as JSON: counts, and nobody's meetings."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypedDict

import msgspec
from flask import Blueprint, render_template, request
from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, require_right
from services.portal.interface.operation import operation
from services.portal.meetings.personal_view import is_rebuilding
from shared.domain.roles import Right
from shared.language.deciding.sentences import say
from shared.organisations.room_report import DEFAULT_DAYS, MAX_DAYS, ReportShape, read_report

SPANS = (7, 14, 28, MAX_DAYS)
"""The spans that the page offers, in days."""


class ReportQuery(msgspec.Struct):
    """Which days."""

    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = DEFAULT_DAYS
    """How many, today included."""


class ReportAnswer(ReportShape, TypedDict):
    """What became of the organisation's rooms."""

    writes: Annotated[str, Meta(examples=["on"])]
    """`off` where the deployment only observes."""
    rebuilding: bool
    """Whether what is known is being restored, so that counts may be missing."""


def blueprint(deps: Deps) -> Blueprint:
    """`/admin/report` and `/v1/admin/report`."""
    bp = Blueprint("report", __name__)

    @bp.get("/admin/report")
    def page() -> str:
        person = require_right(Right.SEE_INTEGRATION)
        days = read_days()
        return render_template("report.html", it=_read(deps, person, days), days=days, spans=SPANS)

    @bp.get("/v1/admin/report")
    @operation(Right.SEE_INTEGRATION, query=ReportQuery, problems=("report-days",))
    def api() -> ReportAnswer:
        """Count what became of the organisation's rooms over some days: nobody's meetings."""
        person = require_right(Right.SEE_INTEGRATION)
        return _read(deps, person, read_days())

    return bp


def read_days() -> int:
    """How many days are asked for. Raises ProblemError (400): no such number."""
    text = request.args.get("days", str(DEFAULT_DAYS))
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:4]) <= MAX_DAYS and len(text) <= len(str(MAX_DAYS))):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "report-days",
            say("`days` is a number from 1 to {most}: the counts of a day are kept that long.").format(most=MAX_DAYS),
            next_step=say("Leave it out for {usual} days.").format(usual=DEFAULT_DAYS),
        )
    return int(text)


def _read(deps: Deps, person: Person, days: int) -> ReportAnswer:
    engine = deps.engine
    keys = engine.keyring.keys(person.tenant)
    report = read_report(engine.view, engine.registry, keys, days=days, now_ms=deps.clock.now_ms())
    return {**report.shape(), "writes": deps.settings.writes, "rebuilding": is_rebuilding(deps)}
