"""How a person wants to be told, as they send it and as they are shown it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from services.portal.interface.fields import Instant, WallClock, Zone
from services.portal.my_day.deciding.zones import zone_from
from shared.contracts.rows import NotificationRow
from shared.domain.instants import to_rfc3339
from shared.language.deciding.sentences import say

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]
SWITCHES = ("first", "dayBefore", "hoursBefore", "quiet")
"""Boxes of the form, beside the one of each channel that this deployment has."""
_RULES = {
    "quietFrom": say("a time of the day: 22:00"),
    "quietUntil": say("a time of the day: 07:00"),
    "zone": say("the name of a time zone: Europe/Zurich"),
}


class LadderForm(msgspec.Struct, frozen=True, rename="camel"):
    """The fields as they are sent; what is left out stays as it is."""

    mail: bool | None = None
    calendar: bool | None = None
    browser: bool | None = None
    first: bool | None = None
    day_before: bool | None = None
    hours_before: bool | None = None
    quiet: bool | None = None
    quiet_from: Clock | None = None
    quiet_until: Clock | None = None
    zone: str | None = None


class LadderAnswer(TypedDict):
    """How a person wants to be told of prompts outside their page."""

    available: bool
    """Whether this deployment sends mail."""
    mail: bool
    calendarAvailable: bool
    """Whether this deployment writes reminders to people's own calendars."""
    calendar: bool
    """Whether a private event in the person's own calendar reminds them; it is removed when the prompt closes."""
    calendarRefusedAt: Instant | None
    """When the calendar refused such an event."""
    calendarRefusal: Annotated[str, Meta(examples=["ErrorAccessDenied"])] | None
    browserAvailable: bool
    """Whether this deployment shows notices in people's browsers."""
    browser: bool
    """Whether notices are shown in the browsers in which the person asked for them (`/v1/me/browsers`)."""
    first: bool
    """When a room has declined."""
    dayBefore: bool
    hoursBefore: bool
    quiet: bool
    """Whether nothing is sent from `quietFrom` to `quietUntil`."""
    quietFrom: WallClock
    quietUntil: WallClock
    zone: Zone | None
    refusedAt: Instant | None
    """When the mail server refused the person's address."""
    refusal: Annotated[str, Meta(examples=["550"])] | None


def change_ladder(row: NotificationRow, sent: Mapping[str, Any], now_ms: int) -> NotificationRow:
    """
    The row after a form or a JSON object was sent. What is switched on is tried again, even if it was refused.

    Raises:
        ProblemError: 422, naming the field and what it must be.
    """
    try:
        form = read_form(sent, LadderForm)
    except FieldError as error:
        raise _refuse_field(error.field) from error
    if form.zone is not None and zone_from(form.zone) is None:
        raise _refuse_field(field="zone")
    given = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not None}
    if form.mail:
        given |= {"refused_at_ms": 0, "refusal": ""}
    if form.calendar:
        since_ms = row.calendar_since_ms or now_ms
        given |= {"calendar_refused_at_ms": 0, "calendar_refusal": "", "calendar_since_ms": since_ms}
    return msgspec.structs.replace(row, **given)


def ladder_shape(row: NotificationRow, *, channels: Collection[str]) -> LadderAnswer:
    """The row as the JSON API says it. `channels`: the switches of what this deployment tells people by."""
    return {
        "available": "mail" in channels,
        "mail": row.mail,
        "calendarAvailable": "calendar" in channels,
        "calendar": row.calendar,
        "calendarRefusedAt": to_rfc3339(row.calendar_refused_at_ms) if row.calendar_refused_at_ms else None,
        "calendarRefusal": row.calendar_refusal or None,
        "browserAvailable": "browser" in channels,
        "browser": row.browser,
        "first": row.first,
        "dayBefore": row.day_before,
        "hoursBefore": row.hours_before,
        "quiet": row.quiet,
        "quietFrom": row.quiet_from,
        "quietUntil": row.quiet_until,
        "zone": row.zone or None,
        "refusedAt": to_rfc3339(row.refused_at_ms) if row.refused_at_ms else None,
        "refusal": row.refusal or None,
    }


def _refuse_field(field: str) -> ProblemError:
    rule = _RULES.get(field, say("true or false"))
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "notifications-invalid",
        say("The field {field} cannot be used.").format(field=field),
        next_step=say("Send {rule}.").format(rule=rule),
    )
