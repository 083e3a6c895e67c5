"""What a person fills in to book a room, checked before any provider hears of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from services.portal.frame.deciding.email_addresses import is_address
from services.portal.frame.problems import ProblemError
from services.portal.my_day.deciding.zones import NoSuchTimeError, instant_ms

MAX_TITLE_CHARS = 200
MAX_GUESTS = 50
MAX_ROOM_ID_CHARS = 64


@dataclass(frozen=True, slots=True)
class BookingWish:
    """A meeting somebody wants, in their own calendar: there is no way to name another one."""

    title: str
    start_ms: int
    end_ms: int
    room: str
    """Room id; "" asks for any that is free."""
    people: int
    guests: tuple[str, ...]


def wished(sent: Mapping[str, Any], zone: ZoneInfo, now_ms: int) -> BookingWish:
    """
    Read a form or a JSON object: `title`, `date` (YYYY-MM-DD), `from` and `to` (HH:MM), `room`, `people`, `guests`.

    Args:
        zone: Whose wall clock `from` and `to` are on.

    Raises:
        ProblemError: 422, naming what is wrong and what to enter.
    """
    day, begins, ends = _day(sent), _clock(sent, "from"), _clock(sent, "to")
    try:
        start_ms, end_ms = instant_ms(day, begins, zone), instant_ms(day, ends, zone)
    except NoSuchTimeError as error:
        raise _refused(field="time", title=str(error), next_step="Choose another time.") from error
    except OverflowError as error:  # at either end of what a calendar can say at all
        raise _refused(
            field="date", title="No calendar goes that far.", next_step="Choose a date of these years."
        ) from error
    if end_ms <= start_ms:
        raise _refused(
            field="time", title="The meeting ends before it begins.", next_step="Enter an end after the beginning."
        )
    if start_ms <= now_ms:
        raise _refused(field="time", title="This time is past.", next_step="Choose a time to come.")
    guests = _guests(sent.get("guests"))
    return BookingWish(
        title=_title(sent),
        start_ms=start_ms,
        end_ms=end_ms,
        room=_room(sent),
        people=max(_people(sent.get("people")), len(guests) + 1),
        guests=guests,
    )


def _title(sent: Mapping[str, Any]) -> str:
    title = str(sent.get("title") or "").strip()
    if not title or len(title) > MAX_TITLE_CHARS or not title.isprintable():
        raise _refused(
            field="title",
            title="The meeting needs a title.",
            next_step=f"Enter one line of at most {MAX_TITLE_CHARS} characters.",
        )
    return title


def _day(sent: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(str(sent.get("date") or ""))
    except ValueError as error:
        raise _refused(field="date", title="This is not a date.", next_step="Enter it as YYYY-MM-DD.") from error


def _clock(sent: Mapping[str, Any], field: str) -> time:
    text = str(sent.get(field) or "")
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise _refused(field="time", title=f"“{field}” is not a time of day.", next_step="Enter it as HH:MM.")
    return time.fromisoformat(text)


def _room(sent: Mapping[str, Any]) -> str:
    room = sent.get("room") or ""
    if not isinstance(room, str) or not room.isascii() or len(room) > MAX_ROOM_ID_CHARS:
        raise _refused(field="room", title="This is not a room.", next_step="Choose one of the list.")
    return room


def _people(value: object) -> int:
    if value is None or value == "":
        return 1
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,4}", str(value)):
        raise _refused(
            field="people", title="This is not a number of people.", next_step="Enter how many seats are needed."
        )
    return max(int(str(value)), 1)


def _guests(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else re.split(r"[\s,;]+", str(value or ""))
    guests = tuple(dict.fromkeys(str(each).strip().lower() for each in listed if str(each).strip()))
    wrong = [each for each in guests if not is_address(each)]
    if wrong:
        raise _refused(
            field="guests",
            title="Not every guest is an e-mail address.",
            next_step="Enter addresses, separated by commas.",
        )
    if len(guests) > MAX_GUESTS:
        raise _refused(
            field="guests",
            title="These are too many guests.",
            next_step=f"Invite at most {MAX_GUESTS} here, the others in your calendar.",
        )
    return guests


def _refused(*, field: str, title: str, next_step: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"booking-{field}", title, next_step=next_step)
