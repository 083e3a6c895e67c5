"""The welcome: once, after somebody's first sign-in, the question whether to connect their calendar."""

from __future__ import annotations

from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.sessions import anybody, member
from services.portal.interface.operation import operation
from services.portal.my_calendar.connection import CalendarSwitch
from shared.domain.roles import Right
from shared.errors import RoomsyncError

PATH = "/welcome"


class WelcomeAnswer(TypedDict):
    """Whether the welcome is still to be shown."""

    due: bool


def blueprint(deps: Deps) -> Blueprint:
    """The routes of the welcome, which stands before the first page until it is answered."""
    bp = Blueprint("welcome", __name__)
    switch = CalendarSwitch(deps)

    @bp.before_app_request
    def before_the_first_page() -> AnyResponse | None:
        if request.method != "GET" or request.path != "/":
            return None
        try:
            person = anybody()
            due = person is not None and switch.is_welcome_due(person)
        except RoomsyncError:
            return None  # the page itself says what is away
        return redirect(PATH, HTTPStatus.SEE_OTHER) if due else None

    @bp.get(PATH)
    def welcome() -> AnyResponse | str:
        if anybody() is None:
            return redirect("/auth/login", HTTPStatus.SEE_OTHER)
        person = member()
        if not switch.is_welcome_due(person):
            return redirect("/profile", HTTPStatus.SEE_OTHER)
        return render_template("welcome.html", it=switch.shown(person), csrf=person.csrf)

    @bp.post(f"{PATH}/later")
    def later() -> AnyResponse:
        switch.mark_welcomed(member())
        return redirect("/", HTTPStatus.SEE_OTHER)

    @bp.get("/v1/me/welcome")
    @operation(Right.OWN_CALENDAR)
    def due() -> WelcomeAnswer:
        """Say whether the person is still to be asked if they want to connect their calendar."""
        return {"due": switch.is_welcome_due(member())}

    @bp.post("/v1/me/welcome/later")
    @operation(Right.OWN_CALENDAR)
    def answered() -> WelcomeAnswer:
        """Put the question off for good: the calendar can be connected on the profile at any time."""
        switch.mark_welcomed(member())
        return {"due": False}

    return bp
