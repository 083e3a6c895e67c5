"""The pages of an employee's day; they work without a script."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, anybody, signed_in
from services.portal.meetings.deciding.choices import WORDS, is_offered
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_calendar.connection_state import read_connection
from services.portal.my_day.booking import Booking
from services.portal.my_day.deciding.agenda import COUNTING_RULE, next_month, weeks
from services.portal.my_day.deciding.booking_form import BookingRequest, read_booking
from services.portal.my_day.parameters import attended, browser_zone, day_in, month_in, place_in, span_days, today
from services.portal.my_day.places import CHOSEN, Places
from services.portal.my_day.presentation import DayShown
from shared.errors import ConsentRevokedError, RefusedError, RetryableError
from shared.registry import tables
from shared.runtime.logging import get_logger

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DONE = {
    "marked": "The day is marked.",
    "placed": "Where you attend from is noted.",
    "booked": "The meeting stands in your calendar, and the room has been asked. It is pending until it answers.",
}
_log = get_logger()


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The routes of `/day`, `/month` and `/book`."""
    bp = Blueprint("day", __name__)
    _agenda(bp, deps, reader)
    _places(bp, deps)
    _book(bp, deps, reader)
    return bp


def _agenda(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/day")
    def day_page() -> Response | str:
        if anybody() is None:
            return _to_sign_in()
        person = signed_in()
        zone, known = browser_zone()
        first = day_in(request.args.get("from", ""), today(deps, zone))
        days, trouble = _read(lambda: DayShown(deps, reader, person, zone).agenda(first, span_days()))
        return render_template(
            "day.html",
            person=person,
            days=days or [],
            trouble=trouble,
            zone=zone.key,
            zone_known=known,
            first=first,
            back=first - timedelta(days=span_days()),
            on=first + timedelta(days=span_days()),
            today=today(deps, zone),
            places=CHOSEN,
            connected=read_connection(deps, person)["state"],
            flash=_DONE.get(request.args.get("done", ""), ""),
        )

    @bp.get("/month")
    def month_page() -> Response | str:
        if anybody() is None:
            return _to_sign_in()
        person = signed_in()
        zone, known = browser_zone()
        month = month_in(today(deps, zone))
        shown = DayShown(deps, reader, person, zone)
        count = (next_month(month) - month).days
        counted, trouble = _read(lambda: shown.counts(month, count))
        return render_template(
            "month.html",
            person=person,
            month=month,
            weekdays=_WEEKDAYS,
            rows=weeks(month, counted) if counted is not None else [],
            place_of={day.date: shown.place(day.date).value for day in counted or ()},
            total=sum(day.meetings for day in counted or ()),
            rule=COUNTING_RULE,
            trouble=trouble,
            zone=zone.key,
            zone_known=known,
            today=today(deps, zone),
            earlier=(month - timedelta(days=1)).strftime("%Y-%m"),
            later=next_month(month).strftime("%Y-%m"),
        )


def _places(bp: Blueprint, deps: Deps) -> None:
    @bp.post("/day/place")
    def mark() -> Response:
        person = signed_in()
        zone, _ = browser_zone()
        day = day_in(request.form.get("date", ""), today(deps, zone))
        Places(deps, person).set_day(day, place_in(request.form.get("place", "")))
        return _back(request.form.get("from", ""), "marked", day)

    @bp.post("/day/attendance")
    def attend() -> Response:
        person = signed_in()
        zone, _ = browser_zone()
        meeting, occurrence, end_ms = attended(request.form, deps.clock.now_ms())
        place = place_in(request.form.get("place", ""))
        Places(deps, person).set_attendance(meeting, occurrence, end_ms, place)
        return _back(request.form.get("from", ""), "placed", day_in(request.form.get("date", ""), today(deps, zone)))


def _book(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/book")
    def book_page() -> Response | str:
        if anybody() is None:
            return _to_sign_in()
        return _form(deps, signed_in(), dict(request.args))

    @bp.post("/book/rooms")
    def look_for_rooms() -> str:
        person = signed_in()
        wish = _wish(deps)
        if isinstance(wish, ProblemError):
            return _form(deps, person, dict(request.form), problem=wish)
        found, trouble = _read(lambda: Booking(deps, reader, person).choices(wish))
        words = WORDS[found.empty] if found is not None and found.empty else trouble
        return _form(deps, person, dict(request.form), choices=found.rooms if found else (), words=words, asked=True)

    @bp.post("/book")
    def book() -> Response | str:
        person = signed_in()
        sent = dict(request.form)
        wish = _wish(deps)
        if isinstance(wish, ProblemError):
            return _form(deps, person, sent, problem=wish)
        try:
            Booking(deps, reader, person).book(wish, request.form.get("key", ""))
        except ProblemError as error:
            return _form(deps, person, sent, problem=error)
        except RetryableError as error:
            return _form(deps, person, sent, words=_trouble(error))
        except (ConsentRevokedError, RefusedError) as error:
            # Nothing was made, and under this key nothing will be: the next try is a wish of its own.
            return _form(deps, person, {**sent, "key": ""}, words=_trouble(error))
        zone, _ = browser_zone()
        return _back("", "booked", day_in(sent.get("date", ""), today(deps, zone)))


def _wish(deps: Deps) -> BookingRequest | ProblemError:
    """What was filled in, or what is wrong with it: a form is shown again with everything still in it."""
    zone, _ = browser_zone()
    try:
        return read_booking(request.form, zone, deps.clock.now_ms())
    except ProblemError as error:
        return error


def _form(deps: Deps, person: Person, sent: dict[str, Any], **shown: Any) -> str:
    zone, known = browser_zone()
    listed = tables.rooms(deps.engine.registry).scan(person.tenant)
    rooms = sorted(((room_id, row) for room_id, row in listed if is_offered(row)), key=lambda each: each[1].name)
    return render_template(
        "book.html",
        person=person,
        sent=sent,
        rooms=rooms,
        zone=zone.key,
        zone_known=known,
        key=sent.get("key") or secrets.token_urlsafe(16),
        today=today(deps, zone),
        connected=read_connection(deps, person)["state"],
        **{"problem": None, "choices": (), "words": "", "asked": False, **shown},
    )


def _read(call: Any) -> tuple[Any, str]:
    """What was read, and what to say when it could not be."""
    try:
        return call(), ""
    except (RetryableError, ConsentRevokedError, RefusedError) as error:
        return None, _trouble(error)


def _trouble(error: Exception) -> str:
    _log.info("day_not_read", kind=type(error).__name__)
    if isinstance(error, ConsentRevokedError):
        return "Your calendar is not connected, so it cannot be read. Connect it on your profile."
    if isinstance(error, RefusedError):
        return "Your calendar system refuses this. Connecting your calendar again may help."
    return "Your calendar system could not be asked just now. Try again in a moment."


def _back(first: str, done: str, day: date) -> Response:
    where = f"from={first}&" if first and first.replace("-", "").isdigit() else ""
    anchor = f"#d-{day.isoformat()}"
    return redirect(f"/day?{where}done={done}{anchor}", HTTPStatus.SEE_OTHER)


def _to_sign_in() -> Response:
    """And back to the very day that was asked for."""
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")), HTTPStatus.SEE_OTHER)
