"""What a person fills in to book a room, checked before any provider hears of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, plain, read_form
from services.portal.frame.problems import ProblemError
from services.portal.interface.fields import Zone
from services.portal.meetings.deciding.filter_form import refuse_filter
from services.portal.meetings.deciding.room_filter import NO_FILTER, RoomFilter, RoomFilterFields, filter_of
from services.portal.my_day.deciding.zones import NoSuchTimeError, instant_ms
from shared.domain.email_addresses import is_address
from shared.language.deciding.sentences import join_sentences, say

MAX_TITLE_CHARS = 200
MAX_GUESTS = 50
MAX_ROOM_ID_CHARS = 64
MAX_PEOPLE = 9_999

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", examples=["09:30"])]
_RULES = {
    "title": (
        say("The meeting needs a title."),
        say("Enter one line of at most {max_title_chars} characters.").format(max_title_chars=MAX_TITLE_CHARS),
    ),
    "date": (say("This is not a date."), say("Enter it as YYYY-MM-DD.")),
    "from": (say("“from” is not a time of day."), say("Enter it as HH:MM.")),
    "to": (say("“to” is not a time of day."), say("Enter it as HH:MM.")),
    "room": (say("This is not a room."), say("Choose one of the list.")),
    "people": (say("This is not a number of people."), say("Enter how many seats are needed.")),
    "guests": (say("Not every guest is an e-mail address."), say("Enter addresses, separated by commas.")),
}
_CODES = {"from": "time", "to": "time"}
"""The word in the problem's code, where it is not the name of the field."""


class TimeForm(RoomFilterFields, frozen=True, kw_only=True, rename={"begins": "from", "ends": "to"}):
    """When a room is wanted, for how many, and what kind of room."""

    date: Annotated[date, Meta(examples=["2026-11-23"])]
    begins: ClockTime
    """On the wall clock of the `zone` of the request."""
    ends: ClockTime
    people: Annotated[int, Meta(ge=0, le=MAX_PEOPLE)] = 1
    """How many seats are needed; whoever is invited has one anyway."""


class FreeRoomsQuery(TimeForm, frozen=True, kw_only=True):
    """The same as parameters of an address."""

    zone: Zone = ""
    """The zone of wall clocks; without it, that of the cookie `roomsync_zone`, else UTC."""


class BookingForm(TimeForm, frozen=True, kw_only=True):
    """The fields as they are sent, by a form or as JSON; `guests` is read apart, since a form sends it as one text."""

    title: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE_CHARS, examples=["Project review"])]
    room: Annotated[str, Meta(max_length=MAX_ROOM_ID_CHARS, pattern=r"^[\x21-\x7e]{0,64}\Z")] = ""
    """Id of a room; empty asks for any that is free and as wanted."""


class BookingBody(BookingForm, frozen=True, kw_only=True):
    """What a program sends."""

    guests: Annotated[tuple[str, ...], Meta(max_length=MAX_GUESTS, examples=[["ben@contoso.test"]])] = ()
    """E-mail addresses."""


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """A meeting somebody wants, in their own calendar: there is no way to name another one."""

    title: str
    start_ms: int
    end_ms: int
    room: str
    """Room id; "" asks for any that is free."""
    people: int
    guests: tuple[str, ...]
    wanted: RoomFilter = NO_FILTER
    """What is asked of a room where none is named."""


def read_booking(sent: Mapping[str, Any], zone: ZoneInfo, now_ms: int) -> BookingRequest:
    """
    Read a form or a JSON object: `title`, `room`, `guests`, and what `read_free_rooms` reads.

    Args:
        sent: The fields; blanks in text become single spaces.
        zone: Whose wall clock `from` and `to` are on.
        now_ms: The meeting must begin later.

    Raises:
        ProblemError: 422, naming what is wrong and what to enter.
    """
    try:
        form = read_form(sent, BookingForm)
        guests = _read_guests(sent.get("guests"))
    except FieldError as error:
        raise _refuse_field(error) from error
    start_ms, end_ms = _read_times(form, zone, now_ms)
    return BookingRequest(
        title=form.title,
        start_ms=start_ms,
        end_ms=end_ms,
        room=form.room,
        people=max(form.people, len(guests) + 1),
        guests=guests,
        wanted=filter_of(form),
    )


def read_free_rooms(sent: Mapping[str, Any], zone: ZoneInfo, now_ms: int) -> BookingRequest:
    """
    Read for when rooms are looked for: `date` (YYYY-MM-DD), `from` and `to` (HH:MM), `people`, and filters; it has no title.

    Args and Raises: as `read_booking`.
    """
    try:
        form = read_form(sent, TimeForm)
    except FieldError as error:
        raise _refuse_field(error) from error
    start_ms, end_ms = _read_times(form, zone, now_ms)
    return BookingRequest("", start_ms, end_ms, "", max(form.people, 1), (), filter_of(form))


def _read_times(form: TimeForm, zone: ZoneInfo, now_ms: int) -> tuple[int, int]:
    begins, ends = time.fromisoformat(form.begins), time.fromisoformat(form.ends)
    try:
        start_ms, end_ms = instant_ms(form.date, begins, zone), instant_ms(form.date, ends, zone)
    except NoSuchTimeError as error:
        raise _refuse(code="time", title=error.args[0], next_step=say("Choose another time.")) from error
    except OverflowError as error:  # at either end of what a calendar can say at all
        raise _refuse(
            code="date", title=say("No calendar goes that far."), next_step=say("Choose a date of these years.")
        ) from error
    if end_ms <= start_ms:
        raise _refuse(
            code="time",
            title=say("The meeting ends before it begins."),
            next_step=say("Enter an end after the beginning."),
        )
    if start_ms <= now_ms:
        raise _refuse(code="time", title=say("This time is past."), next_step=say("Choose a time to come."))
    return start_ms, end_ms


def _read_guests(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else re.split(r"[\s,;]", str(plain("guests", value) or ""))
    guests = tuple(dict.fromkeys(str(each).strip().lower() for each in listed if str(each).strip()))
    if not all(is_address(each) for each in guests):
        raise FieldError(field="guests")
    if len(guests) > MAX_GUESTS:
        raise _refuse(
            code="guests",
            title=say("These are too many guests."),
            next_step=say("Invite at most {max_guests} here, the others in your calendar.").format(
                max_guests=MAX_GUESTS
            ),
        )
    return guests


def _refuse_field(error: FieldError) -> ProblemError:
    if error.field in RoomFilterFields.__struct_fields__:
        return refuse_filter(error)
    title, next_step = _RULES[error.field]
    return _refuse(_CODES.get(error.field, error.field), join_sentences(title, error.why), next_step)


def _refuse(code: str, title: str, next_step: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"booking-{code}", title, next_step=next_step)
