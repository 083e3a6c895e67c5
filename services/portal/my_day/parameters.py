"""What a request about a day names: the zone, the day, the month, the place; checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from flask import request
from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.interface.fields import Day, Instant, Zone
from services.portal.my_day.deciding.agenda import month_of
from services.portal.my_day.deciding.zones import UTC_ZONE, local, zone_from
from services.portal.my_day.places import CHOSEN, WorkPlace
from shared.domain.instants import DAY_MS, from_rfc3339
from shared.language.deciding.sentences import say

ZONE_COOKIE = "roomsync_zone"
"""Set by the page's script out of what the browser knows; says nothing that a browser does not tell everybody."""
DEFAULT_DAYS = 14
MAX_DAYS = 62


class ZoneQuery(msgspec.Struct):
    """Whose days these are."""

    zone: Zone = ""
    """The zone of days and wall clocks; without it, that of the cookie `roomsync_zone`, else UTC."""


class AgendaQuery(ZoneQuery, rename={"first": "from"}):
    """Which days."""

    first: Day | None = None
    """The first one; today without it."""
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = DEFAULT_DAYS


class MonthQuery(ZoneQuery):
    """Which month."""

    month: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}$", examples=["2026-11"])] | None = None
    """This one without it."""


class PlaceBody(msgspec.Struct):
    """Where somebody is."""

    place: Literal["office", "remote", ""] = ""
    """Empty takes the word back."""


class AttendanceBody(PlaceBody):
    """From where somebody attends one date of a meeting."""

    end: Instant | None = None
    """When the date ends: what was said is kept for some time after that."""


_REF = re.compile(r"[mo]-[a-z2-7]{10,40}")
_YEARS = range(1990, 2200)


def read_zone() -> tuple[ZoneInfo, bool]:
    """
    Read the zone of the person who looks, and whether their browser named one; UTC if not.

    A form that was shown in one zone is read in that zone, whatever the browser says by then.
    """
    asked = request.args.get("zone", "") or request.form.get("zone", "")
    named = zone_from(asked or request.cookies.get(ZONE_COOKIE, ""))
    return (named, True) if named else (UTC_ZONE, False)


def today_in(deps: Deps, zone: ZoneInfo) -> date:
    """Tell the day it is in `zone`."""
    return local(deps.clock.now_ms(), zone).date()


def read_day(text: str, default: date) -> date:
    """Read a date out of `YYYY-MM-DD`; the default for "". Raises ProblemError (422)."""
    try:
        day = date.fromisoformat(text) if text else default
    except ValueError as error:
        raise _refuse(
            field="date", title=say("This is not a date."), next_step=say("Write it as YYYY-MM-DD.")
        ) from error
    if day.year not in _YEARS:
        raise _refuse(
            field="date", title=say("No calendar goes that far."), next_step=say("Choose a date of these years.")
        )
    return day


def read_month(default: date) -> date:
    """Read the first day of the month that `?month=YYYY-MM` names. Raises ProblemError (422)."""
    try:
        month = month_of(request.args.get("month", ""), default)
    except ValueError as error:
        raise _refuse(
            field="month", title=say("This is not a month."), next_step=say("Write it as YYYY-MM.")
        ) from error
    return read_day(month.isoformat(), default)


def read_span() -> int:
    """Read how many days `?days=` asks for. Raises ProblemError (422)."""
    text = request.args.get("days", "") or str(DEFAULT_DAYS)
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= MAX_DAYS:
        raise _refuse(
            field="days",
            title=say("This is not a number of days."),
            next_step=say("Ask for 1 to {max_days}.").format(max_days=MAX_DAYS),
        )
    return int(text)


def read_place(text: str) -> WorkPlace:
    """Read `office`, `remote`, or "" for neither. Raises ProblemError (422)."""
    if text in {place.value for place in CHOSEN}:
        return WorkPlace(text)
    if text:
        raise _refuse(field="place", title=say("This is not a place."), next_step=say("Choose office or remote."))
    return WorkPlace.UNKNOWN


def read_occurrence(sent: Mapping[str, Any], now_ms: int) -> tuple[str, str, int]:
    """
    Read the references of a meeting and of one date of it, and until when it is (for how long it is kept).

    Raises:
        ProblemError: 422, these name no date of a meeting.
    """
    meeting, occurrence = sent.get("meeting", ""), sent.get("occurrence", "")
    if not (_REF.fullmatch(meeting) and _REF.fullmatch(occurrence)):
        raise _refuse(
            field="meeting",
            title=say("This names no date of a meeting."),
            next_step=say("Take both references from the agenda."),
        )
    try:
        end_ms = from_rfc3339(sent.get("end", ""))
    except (ValueError, OverflowError):
        end_ms = now_ms
    return meeting, occurrence, min(max(end_ms, now_ms), now_ms + 800 * DAY_MS)


def _refuse(*, field: str, title: str, next_step: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}-invalid", title, next_step=next_step)
