"""The overview as a page, as CSV and as JSON."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.overview.deciding.charts import lay_out_bars
from services.portal.admin.overview.deciding.figures import OverviewFigures, write_weeks
from services.portal.admin.overview.reading import OverviewReader
from services.portal.deps import Deps
from services.portal.frame.deciding.sheets import MEDIA_TYPE
from services.portal.frame.language import current_manner
from services.portal.frame.organisations import read_organisation
from services.portal.frame.problems import not_enabled
from services.portal.frame.sessions import Person, require_right
from services.portal.interface.operation import operation
from services.portal.meetings.personal_view import is_rebuilding
from shared.contracts.rows import ConsentState, IntegrationState
from shared.domain.roles import Right
from shared.language.deciding.formats import write_day_and_month
from shared.language.deciding.sentences import say
from shared.providers.token_refusal import Mender

STATE_WORDS = {
    ConsentState.FAILING: say("Its last look failed; it is tried again"),
    ConsentState.SUSPENDED: say("The calendar system refuses it for now; it is tried again for two weeks"),
    ConsentState.REVOKED: say("The permission has ended: its person has to connect again"),
}

MENDER_WORDS = {
    Mender.PERSON: say(
        "Look for a rule of your organisation that was changed, or for trouble of the calendar system itself."
    ),
    Mender.ADMINISTRATOR: say(
        "A rule of your organisation forbids it, or the application is blocked in its directory: your IT department mends that."
    ),
    Mender.OPERATOR: say("This service itself is refused: whoever runs it mends that."),
}
"""Where to look when many are refused at once: no single person can mend it then."""


def blueprint(deps: Deps) -> Blueprint:
    """`/admin`, `/admin/overview.csv` and `/v1/admin/overview`."""
    bp = Blueprint("overview", __name__)
    reader = OverviewReader(deps)

    @bp.get("/admin")
    def page() -> AnyResponse | str:
        person = require_right(Right.SEE_INTEGRATION)
        if not _is_enabled(deps, person):
            return redirect("/admin/integration", HTTPStatus.SEE_OTHER)
        return _page(deps, reader.read(person.tenant))

    @bp.get("/admin/overview.csv")
    def sheet() -> Response:
        person = require_right(Right.SEE_INTEGRATION)
        attached = {"Content-Disposition": "attachment; filename=weeks.csv"}
        return Response(write_weeks(_read(deps, reader, person)["weeks"]), content_type=MEDIA_TYPE, headers=attached)

    @bp.get("/v1/admin/overview")
    @operation(Right.SEE_INTEGRATION, problems=("not-enabled",))
    def api() -> OverviewFigures:
        """Say whether it works for the organisation, and what needs help: counts, and nobody's meetings."""
        return _read(deps, reader, require_right(Right.SEE_INTEGRATION))

    return bp


def _read(deps: Deps, reader: OverviewReader, person: Person) -> OverviewFigures:
    """What was kept is shown no longer once it is off. Raises ProblemError (409)."""
    if not _is_enabled(deps, person):
        raise not_enabled()
    return reader.read(person.tenant)


def _is_enabled(deps: Deps, person: Person) -> bool:
    return read_organisation(deps, person.tenant).integration is IntegrationState.ENABLED


def _page(deps: Deps, figures: OverviewFigures) -> str:
    weeks = [(_short(week["monday"]), week) for week in figures["weeks"]]
    return render_template(
        "overview.html",
        it=figures,
        weeks=weeks,
        declines=lay_out_bars([(label, (week["declined"], week["rebooked"])) for label, week in weeks]),
        delays=lay_out_bars([(label, (_rounded(week["rebookedAfterMinutes"]),)) for label, week in weeks]),
        mender_words=MENDER_WORDS,
        failing=sum(each["mailboxes"] for each in figures["failing"]),
        state_words=STATE_WORDS,
        rebuilding=is_rebuilding(deps),
    )


def _short(day: str) -> str:
    return write_day_and_month(date.fromisoformat(day), current_manner())


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes)
