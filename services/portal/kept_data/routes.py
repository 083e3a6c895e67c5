"""What is kept about a person, as a page of theirs and as JSON to take along."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.sessions import anybody, member
from services.portal.interface.operation import operation
from services.portal.kept_data.reading import KeptData, KeptDataAnswer
from shared.domain.roles import Right

PATH = "/profile/kept-data"


def blueprint(deps: Deps) -> Blueprint:
    """`/profile/kept-data` and `/v1/me/kept-data`."""
    bp = Blueprint("kept_data", __name__)

    @bp.get(PATH)
    def page() -> AnyResponse | str:
        if anybody() is None:
            return redirect(f"/auth/login?next={PATH}", HTTPStatus.SEE_OTHER)
        return render_template("kept_data.html", it=KeptData(deps, member()).read())

    @bp.get("/v1/me/kept-data")
    @operation(Right.OWN_CALENDAR)
    def api() -> KeptDataAnswer:
        """Show everything that is kept about oneself, by kind, with counts and the rows that can be read."""
        return KeptData(deps, member()).read()

    return bp
