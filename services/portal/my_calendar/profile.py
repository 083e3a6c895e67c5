"""The profile: one's own calendar, with the switch that connects it and takes that back, as a page and as JSON."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.sessions import anybody, member
from services.portal.my_calendar.connection import Connecting
from services.portal.sign_in.openid import OpenIdProvider
from services.portal.sign_in.routes import is_led_here, keep_browser
from shared.domain.identity import Provider

PATH = "/profile"
WORDS = {
    "none": "Not connected",
    "connecting": "Connecting …",
    "first-sync": "First sync …",
    "connected": "Connected",
    "failing": "Trouble reaching your calendar",
    "suspended": "Your calendar system refuses us for now",
    "revoked": "Permission taken back",
    "sleeping": "Switched off for your organisation",
    "disconnecting": "Disconnecting …",
}
ADVICE = {
    "none": "Nothing of your calendar is read.",
    "connecting": "Your calendar system is being asked to tell us about changes.",
    "first-sync": "Your calendar is being read for the first time. Nothing is announced for what happened before.",
    "connected": "You hear of it when a room declines one of your meetings.",
    "failing": "Your calendar system does not answer us at the moment. We keep trying; nothing is needed from you.",
    "sleeping": (
        "Nothing of your calendar is read. Your permission is kept locked away for five days after switching off; if it is "
        "switched on again by then, you are connected again without doing anything."
    ),
    "disconnecting": "Your calendar system is being told to stop; then your permission is deleted here.",
}
SUSPENDED = {
    "person": (
        "Your calendar system wants to see you before it answers us again. Your permission is kept, and we go on trying for "
        "two weeks. Connecting again helps at once."
    ),
    "administrator": (
        "Your calendar system says that a rule of your organisation forbids it at the moment. Your permission is kept, and we "
        "go on trying for two weeks: once your IT department allows it, you are connected again without doing anything."
    ),
    "operator": (
        "Your calendar system refuses this service at the moment. Whoever runs it has to mend that; your permission is kept, "
        "and nothing is needed from you."
    ),
}
REVOKED = {
    "person": "Your calendar system says that the permission is gone. Nothing is read any more. Connect again to go on.",
    "administrator": (
        "Your calendar system says that a rule of your organisation forbids it now. Nothing is read any more. Your IT "
        "department has to allow it; then connect again."
    ),
}
REFUSED = {"suspended": SUSPENDED, "revoked": REVOKED}
_DONE = {"disconnected": "Your calendar is being disconnected.", "connected": "Your calendar is being connected."}


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/profile` and `/v1/me/calendar`."""
    bp = Blueprint("profile", __name__)
    switch = Connecting(deps, {provider: OpenIdProvider(deps.settings, provider, deps.clock) for provider in Provider})
    _pages(bp, switch)
    _api(bp, switch)
    return bp


def _pages(bp: Blueprint, switch: Connecting) -> None:
    @bp.get(PATH)
    def profile() -> AnyResponse | str:
        if anybody() is None:
            return redirect(f"/auth/login?next={PATH}", HTTPStatus.SEE_OTHER)
        person = member()
        it = switch.shown(person)
        advice = (
            REFUSED[it["state"]].get(it["mends"], REFUSED[it["state"]]["person"])
            if it["state"] in REFUSED
            else ADVICE[it["state"]]
        )
        return render_template(
            "profile.html",
            it=it,
            words=WORDS[it["state"]],
            advice=advice,
            csrf=person.csrf,
            flash=_DONE.get(request.args.get("done", ""), ""),
        )

    @bp.get(f"{PATH}/connect")
    def connect() -> AnyResponse:
        # A link, not a form: browsers hold what a form leads to against our own policy, and this leads to the provider.
        person = member()
        if is_led_here():
            return redirect(PATH, HTTPStatus.SEE_OTHER)
        address, browser = switch.depart(person, PATH)
        switch.welcomed(person)
        response = redirect(address, HTTPStatus.SEE_OTHER)
        keep_browser(response, browser)
        return response

    @bp.post(f"{PATH}/disconnect")
    def disconnect() -> AnyResponse:
        switch.disconnect(member())
        return redirect(f"{PATH}?done=disconnected", HTTPStatus.SEE_OTHER)


def _api(bp: Blueprint, switch: Connecting) -> None:
    @bp.get("/v1/me/calendar")
    def shown() -> Response:
        return jsonify(switch.shown(member()))

    @bp.post("/v1/me/calendar/connect")
    def begin() -> Response:
        person = member()
        address, browser = switch.depart(person, PATH)
        switch.welcomed(person)
        response = jsonify({"location": address, "next": "Open `location` in this browser; it leads back here."})
        keep_browser(response, browser)
        return response

    @bp.post("/v1/me/calendar/disconnect")
    def end() -> tuple[Response, HTTPStatus]:
        person = member()
        switch.disconnect(person)
        return jsonify(switch.shown(person)), HTTPStatus.ACCEPTED
