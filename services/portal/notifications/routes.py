"""The person's ladder, and the browsers that show notices, as JSON and from the forms on the profile."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.sessions import member
from services.portal.interface.operation import operation
from services.portal.notifications.browser_routes import register_browsers
from services.portal.notifications.deciding.ladder_form import SWITCHES, LadderAnswer, LadderForm
from services.portal.notifications.preferences import LadderPreferences
from shared.domain.roles import Right

_PATH = "/v1/me/notifications"
_EXAMPLE = '{"mail": true, "quiet": true, "quietFrom": "22:00", "quietUntil": "07:00"}'


def blueprint(deps: Deps) -> Blueprint:
    """The routes `/v1/me/notifications` and `/profile/notifications`, and those of browsers."""
    bp = Blueprint("notifications", __name__)
    preferences = LadderPreferences(deps)
    register_browsers(bp, deps, preferences)

    @bp.get(_PATH)
    @operation(Right.OWN_CALENDAR)
    def shown() -> LadderAnswer:
        """Say how one is told of prompts outside one's page."""
        person = member()
        return preferences.shown(person.tenant, person.user)

    @bp.put(_PATH)
    @operation(Right.OWN_CALENDAR, body=LadderForm, problems=("json-missing", "notifications-invalid"))
    def change() -> LadderAnswer:
        """Change how one is told; what is left out stays as it is."""
        person = member()
        return preferences.change(person.tenant, person.user, require_object(_EXAMPLE))

    @bp.post("/profile/notifications")
    def change_by_form() -> AnyResponse:
        person = member()
        # A box that is not ticked is not sent.
        shown = (*preferences.channels, *SWITCHES)
        sent: dict[str, Any] = {**request.form, **{name: name in request.form for name in shown}}
        preferences.change(person.tenant, person.user, sent)
        return redirect("/profile?done=notifications#notifications", HTTPStatus.SEE_OTHER)

    return bp
