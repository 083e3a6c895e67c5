"""The person's ladder, as JSON and from the form on the profile."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.sessions import member
from services.portal.notifications.deciding.ladder_form import SWITCHES
from services.portal.notifications.preferences import LadderPreferences

_PATH = "/v1/me/notifications"
_EXAMPLE = '{"mail": true, "quiet": true, "quietFrom": "22:00", "quietUntil": "07:00"}'


def blueprint(deps: Deps) -> Blueprint:
    """The routes `/v1/me/notifications` and `/profile/notifications`."""
    bp = Blueprint("notifications", __name__)
    preferences = LadderPreferences(deps)

    @bp.get(_PATH)
    def shown() -> Response:
        person = member()
        return jsonify(preferences.shown(person.tenant, person.user))

    @bp.put(_PATH)
    def change() -> Response:
        person = member()
        return jsonify(preferences.change(person.tenant, person.user, require_object(_EXAMPLE)))

    @bp.post("/profile/notifications")
    def change_by_form() -> AnyResponse:
        person = member()
        # A box that is not ticked is not sent.
        sent: dict[str, Any] = {**request.form, **{name: name in request.form for name in SWITCHES}}
        preferences.change(person.tenant, person.user, sent)
        return redirect("/profile?done=notifications#notifications", HTTPStatus.SEE_OTHER)

    return bp
