"""Booking a room into one's own calendar, by a form or by JSON: both read the same fields and do the same."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, anybody, signed_in
from services.portal.interface.operation import CALENDAR_PROBLEMS, WRITING_PROBLEMS, operation
from services.portal.meetings.deciding.answers import FreeRoomsAnswer
from services.portal.meetings.deciding.choices import LABEL, NoChoice, group_by_building, is_offered
from services.portal.meetings.deciding.filter_form import fields_of
from services.portal.meetings.deciding.free_times import FreeTime
from services.portal.meetings.deciding.room_filter import (
    NO_FILTER,
    RoomFilter,
    RoomFilterFields,
    filter_of,
    list_options,
)
from services.portal.meetings.deciding.shapes import free_rooms_shape
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_calendar.connection_state import read_connection
from services.portal.my_calendar.writing import read_writing
from services.portal.my_day.answers import BookedAnswer
from services.portal.my_day.booking import BookedMeeting, Booking
from services.portal.my_day.deciding.booking_form import (
    BookingBody,
    BookingRequest,
    FreeRoomsQuery,
    read_booking,
    read_free_rooms,
)
from services.portal.my_day.deciding.booking_times import FormTime, fill_in, form_time, lengths, next_half_hour
from services.portal.my_day.live_answers import (
    ask_calendar,
    describe_failure,
    redirect_to_sign_in,
)
from services.portal.my_day.parameters import ZoneQuery, read_zone, today_in
from services.portal.my_rooms.parameters import KeyHeaders, read_key
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right
from shared.errors import ConsentRevokedError, RefusedError, RetryableError
from shared.registry import tables

FREE_ROOMS_PROBLEMS = (
    *CALENDAR_PROBLEMS,
    *(f"booking-{each}" for each in ("date", "time", "people")),
    "filter-invalid",
)
BOOKING_PROBLEMS = (
    *CALENDAR_PROBLEMS,
    *WRITING_PROBLEMS,
    *(f"booking-{each}" for each in ("title", "date", "time", "room", "people", "guests")),
    "json-missing",
    "no-such-room",
    "none-free",
    "bookings-full",
    "filter-invalid",
)


def add(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    """Add the routes `/book`, `/book/rooms`, `/v1/me/bookings` and `/v1/me/bookings/rooms`."""

    @bp.get("/v1/me/bookings/rooms")
    @operation(Right.OWN_CALENDAR, query=FreeRoomsQuery, problems=FREE_ROOMS_PROBLEMS)
    def free_rooms() -> FreeRoomsAnswer:
        """
        List the rooms that could be booked for a time, best first, as free/busy says of them now.

        Where none is as the filters ask, `wider` says which filters to leave out, and what there is then.
        """
        zone, booking = read_zone()[0], Booking(deps, reader, signed_in())
        wanted = read_free_rooms(fields_of(request.args), zone, deps.clock.now_ms())
        found = booking.choices(wanted)
        times = booking.nearest_times(wanted, zone) if found.empty is NoChoice.NONE_FREE else ()
        return free_rooms_shape(wanted.people, found, booking.list_options(wanted.wanted), times)

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
        person, zone = signed_in(), read_zone()[0]
        ahead, _ = ask_calendar(lambda: Booking(deps, reader, person).look_ahead(zone))
        gap, soon = ahead and ahead.gap, next_half_hour(deps.clock.now_ms(), zone)
        return _render_form(
            deps,
            person,
            fields_of(request.args),
            suggested=(soon,) if gap in {None, soon} else (soon, gap),
            guests=ahead.guests if ahead else (),
        )

    @bp.post("/book/rooms")
    def look_for_rooms() -> str:
        person, sent = signed_in(), fill_in(fields_of(request.form))
        wanted = _read_form(deps, sent)
        if isinstance(wanted, ProblemError):
            return _render_form(deps, person, sent, problem=wanted)
        return _look(deps, Booking(deps, reader, person), person, sent, wanted)

    @bp.post("/book")
    def book_by_form() -> AnyResponse | str:
        person, sent = signed_in(), fields_of(request.form)
        wanted = _read_form(deps, sent)
        if isinstance(wanted, ProblemError):
            return _render_form(deps, person, sent, problem=wanted)
        try:
            booked = Booking(deps, reader, person).book(wanted, read_key())
        except ProblemError as error:
            times = _offer_times(Booking(deps, reader, person), wanted) if error.code == "none-free" else ()
            return _render_form(deps, person, sent, problem=error, times=times)
        except RetryableError as error:
            return _render_form(deps, person, sent, words=describe_failure(error))
        except (ConsentRevokedError, RefusedError) as error:
            # Nothing was made, and under this key nothing will be: the next try gets a key of its own.
            return _render_form(deps, person, {**sent, "key": ""}, words=describe_failure(error))
        # To the day itself, whose page says so at its top.
        return redirect(f"/day?from={sent['date']}&done=booked&room={booked.room_id}", HTTPStatus.SEE_OTHER)


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


def _look(deps: Deps, booking: Booking, person: Person, sent: dict[str, Any], wanted: BookingRequest) -> str:
    """The form with the rooms that are free, or why there is none and when there would be one."""
    found, trouble = ask_calendar(lambda: booking.choices(wanted))
    if found is not None and found.empty is None:
        picked = next((each.id for each in found.rooms if each.id == sent.get("room")), found.rooms[0].id)
        return _render_form(deps, person, sent, choices=group_by_building(found.rooms), picked=picked)
    if found is None:
        return _render_form(deps, person, sent, words=trouble)
    times = _offer_times(booking, wanted) if found.empty is NoChoice.NONE_FREE else ()
    return _render_form(deps, person, sent, words=found.words, wider=found.wider, times=times)


def _offer_times(booking: Booking, wanted: BookingRequest) -> list[tuple[FreeTime, FormTime]]:
    """Each time near the wanted one with what its button fills in."""
    zone, _ = read_zone()
    written = ((each, form_time(each.time, zone)) for each in booking.nearest_times(wanted, zone))
    return [(each, at) for each, at in written if at is not None]


def _read_form(deps: Deps, sent: Mapping[str, Any]) -> BookingRequest | ProblemError:
    """What was filled in, or what is wrong with it: a form is shown again with everything still in it."""
    zone, _ = read_zone()
    try:
        return read_booking(sent, zone, deps.clock.now_ms())
    except ProblemError as error:
        return error


def _read_filter(sent: Mapping[str, Any]) -> RoomFilter:
    """The filters that a form comes back with; none where one of them cannot be used, which the form then says."""
    try:
        return filter_of(read_form(sent, RoomFilterFields))
    except FieldError:
        return NO_FILTER


def _render_form(deps: Deps, person: Person, sent: dict[str, Any], **shown: Any) -> str:
    zone, known = read_zone()
    wanted = _read_filter(sent)
    listed = tables.rooms(deps.engine.registry).scan(person.tenant)
    offered = [(room_id, row) for room_id, row in listed if is_offered(row)]
    rooms = sorted(
        (each for each in offered if not wanted.find_missed(each[1]) or each[0] == sent.get("room")),
        key=lambda each: (each[1].building == "", each[1].building, each[1].name),
    )
    proposed = next_half_hour(deps.clock.now_ms(), zone)
    sent = {"date": proposed.date, "from": proposed.begins, "to": proposed.ends, **sent}
    return render_template(
        "book.html",
        person=person,
        sent=sent,
        rooms=rooms,
        wanted=wanted,
        options=list_options((row for _, row in offered), wanted),
        lengths=lengths(sent),
        zone=zone.key,
        zone_known=known,
        key=sent.get("key") or secrets.token_urlsafe(16),
        today=today_in(deps, zone),
        connected=read_connection(deps, person)["state"],
        writing=read_writing(deps, person).value,
        **{
            "problem": None,
            "choices": (),
            "words": "",
            "times": (),
            "wider": (),
            "suggested": (),
            "picked": "",
            "guests": (),
            **shown,
        },
    )
