"""The profile: one's own calendar, with the switch that connects it and takes that back, as a page and as JSON."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.language import current_manner
from services.portal.frame.sessions import anybody, end_every_session, member
from services.portal.interface.operation import LEAVING_PROBLEMS, operation
from services.portal.my_calendar.connection import CalendarAnswer, CalendarSwitch
from services.portal.my_calendar.deciding.connection_words import CONNECTION_WORDS, advise
from services.portal.my_calendar.language import describe_choice
from services.portal.notifications.browsers import NoticeBrowserList
from services.portal.notifications.current_browser import CurrentBrowser
from services.portal.notifications.preferences import LadderPreferences
from services.portal.sign_in.departure import LeadingAnswer, leading_answer, leading_page
from services.portal.sign_in.refusals import RefusedSignInError
from services.portal.sign_in.reported import require_reported_code
from services.portal.sign_in.routes import refused_page
from shared.domain.roles import Right
from shared.language.deciding.formats import name_weekdays
from shared.language.deciding.negotiation import FIRST_DAYS, LANGUAGE_NAMES
from shared.language.deciding.sentences import say

PATH = "/profile"
_DONE = {
    "language": say("Saved: this is how pages and mails are written from now on."),
    "notifications": say("Saved: this is how you are told from now on."),
    "browser-removed": say("Removed: no notice is shown in that browser any more."),
    "disconnected": say("Your calendar is being disconnected."),
    "connected": say("Your calendar is being connected."),
}


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/profile` and `/v1/me/calendar`."""
    bp = Blueprint("profile", __name__)
    switch = CalendarSwitch(deps)
    _pages(bp, deps, switch)
    _explain(bp, deps)
    _api(bp, switch)
    return bp


def _pages(bp: Blueprint, deps: Deps, switch: CalendarSwitch) -> None:
    preferences = LadderPreferences(deps)
    browsers = NoticeBrowserList(deps, preferences)

    @bp.get(PATH)
    def profile() -> AnyResponse | str:
        if anybody() is None:
            return redirect(f"/auth/login?next={PATH}", HTTPStatus.SEE_OTHER)
        person = member()
        it = switch.shown(person)
        return render_template(
            "profile.html",
            it=it,
            words=CONNECTION_WORDS[it["state"]],
            advice=advise(it["state"], it.get("mends", "person"), held_back=it.get("heldBack", False)),
            ladder=preferences.shown(person.tenant, person.user),
            notices=browsers.shown(person.tenant, person.user),
            chosen=describe_choice(deps, person),
            languages=LANGUAGE_NAMES,
            week_days=_week_days(),
            csrf=person.csrf,
            flash=_DONE.get(request.args.get("done", ""), ""),
        )

    @bp.get(f"{PATH}/connect")
    def followed() -> AnyResponse:
        member()
        return redirect(PATH, HTTPStatus.SEE_OTHER)  # whoever merely follows a link has decided nothing

    @bp.post(f"{PATH}/connect")
    def connect() -> AnyResponse:
        person = member()
        departure = switch.depart(person, PATH)
        switch.mark_welcomed(person)
        return leading_page(departure, say("to read your own calendar"))

    @bp.post(f"{PATH}/disconnect")
    def disconnect() -> AnyResponse:
        switch.disconnect(member())
        return redirect(f"{PATH}?done=disconnected", HTTPStatus.SEE_OTHER)

    @bp.post(f"{PATH}/sign-out-everywhere")
    def sign_out_everywhere() -> AnyResponse:
        response, person = redirect("/auth/login", HTTPStatus.SEE_OTHER), member()
        CurrentBrowser(deps).end_everywhere(response, person.tenant, person.user)
        end_every_session(response, person)
        return response


def _week_days() -> list[tuple[str, str]]:
    """The days on which weeks begin somewhere, each as it is sent and as it is read."""
    names = dict(enumerate(name for name, _ in name_weekdays(replace(current_manner(), first_day=0))))
    return [(choice.value, names[day]) for choice, day in FIRST_DAYS.items()]


def _explain(bp: Blueprint, deps: Deps) -> None:
    @bp.post(f"{PATH}/connect/reported")
    def reported() -> Response:
        """Some refusals stay on the provider's own page: whoever saw one says what it said."""
        person = member()
        code = require_reported_code(request.form.get("code", ""))
        error = RefusedSignInError(code, code, provider=person.provider)
        return refused_page(deps, error, HTTPStatus.OK)


def _api(bp: Blueprint, switch: CalendarSwitch) -> None:
    @bp.get("/v1/me/calendar")
    @operation(Right.OWN_CALENDAR)
    def shown() -> CalendarAnswer:
        """Say where one's own calendar stands: whether it is connected, and if not, why not."""
        return switch.shown(member())

    @bp.post("/v1/me/calendar/connect")
    @operation(Right.OWN_CALENDAR, answer=LeadingAnswer, problems=(*LEAVING_PROBLEMS, "other-calendar"))
    def begin() -> AnyResponse:
        """Begin to connect one's own calendar: the answer says where the browser is to be sent."""
        person = member()
        departure = switch.depart(person, PATH)
        switch.mark_welcomed(person)
        return leading_answer(departure)

    @bp.post("/v1/me/calendar/disconnect")
    @operation(Right.OWN_CALENDAR, status=HTTPStatus.ACCEPTED)
    def end() -> CalendarAnswer:
        """End what was connected; doing it again changes nothing."""
        person = member()
        switch.disconnect(person)
        return switch.shown(person)
