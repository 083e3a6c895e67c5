"""What somebody enters of a webhook endpoint, or asks of its deliveries, checked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from shared.contracts import room_declined, room_outcome
from shared.domain.instants import from_datetime, from_rfc3339, to_rfc3339
from shared.domain.webhook_address import MAX_URL_CHARS, WebhookAddressError, read_webhook_url
from shared.language.deciding.sentences import join_sentences, say

EVENT_TYPES = (room_declined.TYPE, room_outcome.REGAINED_TYPE, room_outcome.CLOSED_TYPE)
MOST_IDS = 100
MAX_ID_CHARS = 100
MAX_INSTANT_CHARS = 40


class WebhookForm(msgspec.Struct, frozen=True):
    """A new endpoint as it is sent, by a form or as JSON."""

    url: Annotated[str, Meta(max_length=MAX_URL_CHARS)]
    types: Annotated[list[Annotated[str, Meta(max_length=MAX_ID_CHARS)]], Meta(max_length=len(EVENT_TYPES))] = []


class RedeliveryForm(msgspec.Struct, frozen=True):
    """What is to be sent again; one of both."""

    since: Annotated[str, Meta(max_length=MAX_INSTANT_CHARS)] = ""
    ids: Annotated[list[Annotated[str, Meta(max_length=MAX_ID_CHARS)]], Meta(max_length=MOST_IDS)] = []


def read_webhook(sent: Mapping[str, Any], allowed: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """
    Read URL and types of events (none: all) of a new endpoint.

    Raises:
        ProblemError: 422, naming the field and what it must be.
    """
    try:
        form = read_form(sent, WebhookForm)
        read_webhook_url(form.url, allowed)
    except FieldError as error:
        raise _refuse(error.field, error.why) from error
    except WebhookAddressError as error:
        raise _refuse(field="url", why=error.why) from error
    if not set(form.types) <= set(EVENT_TYPES):
        raise _refuse(field="types")
    return form.url, tuple(each for each in EVENT_TYPES if each in form.types)


def read_redelivery(sent: Mapping[str, Any]) -> tuple[int, tuple[str, ...]]:
    """
    Read from when on, in milliseconds (0: it was not sent), or which ids.

    Raises:
        ProblemError: 422, naming the field and what it must be.
    """
    try:
        form = read_form(sent, RedeliveryForm)
        since_ms = from_rfc3339(form.since) if form.since else 0
    except FieldError as error:
        raise _refuse(error.field, error.why) from error
    except (ValueError, OverflowError) as error:
        raise _refuse(field="since") from error
    if bool(form.since) is bool(form.ids):
        raise _refuse(field="since", why=_EITHER)
    return max(since_ms, int(bool(form.since))), tuple(dict.fromkeys(form.ids))


def read_wall_clock(text: str, zone: ZoneInfo) -> str:
    """The instant of what a form gives as a day and a time of `zone`; anything else as it is, for `read_redelivery` to refuse."""
    try:
        moment = datetime.fromisoformat(text)
        return text if moment.tzinfo else to_rfc3339(from_datetime(moment.replace(tzinfo=zone)))
    except (ValueError, OverflowError):
        return text


_EITHER = say("Either it or `ids` has to be there.")
_RULES = {
    "url": say("https://, a public host, and a path; no user, no password, no fragment"),
    "types": say("none for all, or some of {choices}").format(choices=", ".join(EVENT_TYPES)),
    "since": say("an instant like 2026-11-28T09:30:00Z, not longer ago than five days"),
    "ids": say("a list of at most {most} ids of events, as the deliveries show them").format(most=MOST_IDS),
}
_WHATEVER = say("what the documentation says")


def _refuse(field: str, why: str = "") -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "webhook-invalid",
        join_sentences(say("The {field} of the webhook cannot be used.").format(field=field), why),
        next_step=say("Send as `{field}`: {rule}.").format(field=field, rule=_RULES.get(field, _WHATEVER)),
    )
