"""Booking a room into one's own calendar, by a form or by JSON: both read the same fields and do the same."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, anybody, signed_in
from services.portal.interface.operation import CALENDAR_PROBLEMS, WRITING_PROBLEMS, operation
from services.portal.meetings.deciding.choices import LABEL, WORDS, is_offered
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_calendar.connection_state import read_connection
from services.portal.my_calendar.writing import read_writing
from services.portal.my_day.answers import BookedAnswer
from services.portal.my_day.booking import BookedMeeting, Booking
from services.portal.my_day.deciding.booking_form import BookingBody, BookingRequest, read_booking
from services.portal.my_day.live_answers import (
    ask_calendar,
    describe_failure,
    redirect_to_day,
    redirect_to_sign_in,
)
from services.portal.my_day.parameters import ZoneQuery, read_day, read_zone, today_in
from services.portal.my_rooms.parameters import KeyHeaders, read_key
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right
from shared.errors import ConsentRevokedError, RefusedError, RetryableError
from shared.registry import tables

BOOKING_PROBLEMS = (
    *CALENDAR_PROBLEMS,
    *WRITING_PROBLEMS,
    *(f"booking-{each}" for each in ("title", "date", "time", "room", "people", "guests")),
    "json-missing",
    "no-such-room",
    "none-free",
    "bookings-full",
)


def add(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    """Add the routes `/book`, `/book/rooms` and `/v1/me/bookings`."""

    @bp.post("/v1/me/bookings")
    @operation(
        Right.OWN_CALENDAR,
        status=HTTPStatus.CREATED,
        body=BookingBody,
        query=ZoneQuery,
        headers=KeyHeaders,
        problems=BOOKING_PROBLEMS,
    )
    def book() -> BookedAnswer:
        """
        Make a meeting in one's own calendar and ask a room for it.

        The same wish under the same key makes the same meeting, however often it is sent; another wish under that key is another
        meeting.
        """
        person = signed_in()
        zone, _ = read_zone()
        wanted = read_booking(require_object(), zone, deps.clock.now_ms())
        booked = Booking(deps, reader, person).book(wanted, read_key())
        return _shape(booked)

    _add_form(bp, deps, reader)


def _add_form(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/book")
    def book_page() -> AnyResponse | str:
        if anybody() is None:
            return redirect_to_sign_in()
        return _render_form(deps, signed_in(), dict(request.args))

    @bp.post("/book/rooms")
    def look_for_rooms() -> str:
        person, sent = signed_in(), dict(request.form)
        wanted = _read_form(deps)
        if isinstance(wanted, ProblemError):
            return _render_form(deps, person, sent, problem=wanted)
        found, trouble = ask_calendar(lambda: Booking(deps, reader, person).choices(wanted))
        words = WORDS[found.empty] if found is not None and found.empty else trouble
        return _render_form(deps, person, sent, choices=found.rooms if found else (), words=words, asked=True)

    @bp.post("/book")
    def book_by_form() -> AnyResponse | str:
        person, sent = signed_in(), dict(request.form)
        wanted = _read_form(deps)
        if isinstance(wanted, ProblemError):
            return _render_form(deps, person, sent, problem=wanted)
        try:
            Booking(deps, reader, person).book(wanted, read_key())
        except ProblemError as error:
            return _render_form(deps, person, sent, problem=error)
        except RetryableError as error:
            return _render_form(deps, person, sent, words=describe_failure(error))
        except (ConsentRevokedError, RefusedError) as error:
            # Nothing was made, and under this key nothing will be: the next try gets a key of its own.
            return _render_form(deps, person, {**sent, "key": ""}, words=describe_failure(error))
        zone, _ = read_zone()
        return redirect_to_day("", "booked", read_day(sent.get("date", ""), today_in(deps, zone)))


def _shape(booked: BookedMeeting) -> BookedAnswer:
    return {
        "eventId": booked.event_id,
        "roomId": booked.room_id,
        "roomName": booked.room.name,
        "state": "pending",
        "label": LABEL,
        "start": to_rfc3339(booked.start_ms),
        "end": to_rfc3339(booked.end_ms),
    }


def _read_form(deps: Deps) -> BookingRequest | ProblemError:
    """What was filled in, or what is wrong with it: a form is shown again with everything still in it."""
    zone, _ = read_zone()
    try:
        return read_booking(request.form, zone, deps.clock.now_ms())
    except ProblemError as error:
        return error


def _render_form(deps: Deps, person: Person, sent: dict[str, Any], **shown: Any) -> str:
    zone, known = read_zone()
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
        today=today_in(deps, zone),
        connected=read_connection(deps, person)["state"],
        writing=read_writing(deps, person).value,
        **{"problem": None, "choices": (), "words": "", "asked": False, **shown},
    )
