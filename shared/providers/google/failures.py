"""
What a failed Google call asks of us. Pure: status, reasons and headers in, one of our errors out.

Sources (read 2026-11-20): developers.google.com/workspace/calendar/api/guides/errors (reasons under `errors`),
cloud.google.com/apis/design/errors and googleapis/google/api/error_reason.proto (reasons under `details`, which stand beside
the others in newer answers), /guides/quota (a limit may come as 403 or 429), /guides/push (channels).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum, auto
from http import HTTPStatus

from shared.domain.retry_after import retry_after_s
from shared.errors import (
    ConflictError,
    CursorExpiredError,
    EventGoneError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    SubscriptionGoneError,
    TokenRefusedError,
)

QUOTA_PAUSE_S = 2 * 3600.0  # an abuse limit of one user lasts hours, and hammering lengthens it


class Doing(StrEnum):
    """What the call was for: a 404 means something else for a channel than for an event."""

    LOOK = "looking at the calendar"
    EVENT = "reading or changing an event"
    SUBSCRIBING = "opening a channel"
    STOPPING = "stopping a channel"
    AVAILABILITY = "reading free/busy"
    AGENDA = "reading the agenda"
    BOOKING = "making a meeting"
    DIRECTORY = "reading the directory of rooms"


class Meaning(Enum):
    """What an answer means, whatever the call was for. In the order in which several reasons of one answer count."""

    HOURS = auto()
    """The same call succeeds hours later."""
    LATER = auto()
    """The same call succeeds later."""
    CURSOR = auto()
    """The sync token is no longer good."""
    FAULT = auto()
    """Our own project or request is wrong: for whoever runs roomsync."""
    REFUSED = auto()
    """This person may not, until somebody changes a right or a setting."""
    TOKEN = auto()
    """The access token is not taken; whether the grant is gone only the token endpoint says."""


_SCOPE = "the grant lacks a right: reconnect and leave every box ticked"
_SWITCHED_OFF = "switch the Calendar API on in the Google Cloud project"
_CHANNEL_HTTPS = "ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL must be an https address"
_CHANNEL_DOMAIN = "verify the domain of ROOMSYNC_PUBLIC_URL for the Google Cloud project"

REASONS: Mapping[str, tuple[Meaning, str]] = {
    **dict.fromkeys(("quotaexceeded", "dailylimitexceeded", "dailylimitexceededunreg"), (Meaning.HOURS, "")),
    **dict.fromkeys(
        (
            "ratelimitexceeded", "userratelimitexceeded", "rate_limit_exceeded", "resource_quota_exceeded", "conflict",
            "backenderror", "internalerror", "transienterror", "channelidnotunique",
        ),
        (Meaning.LATER, ""),
    ),
    **dict.fromkeys(("fullsyncrequired", "updatedmintoolongago"), (Meaning.CURSOR, "")),
    **dict.fromkeys(("accessnotconfigured", "service_disabled"), (Meaning.FAULT, _SWITCHED_OFF)),
    "push.webhookurlnothttps": (Meaning.FAULT, _CHANNEL_HTTPS),
    "push.webhookurlunauthorized": (Meaning.FAULT, _CHANNEL_DOMAIN),
    **dict.fromkeys(("access_token_scope_insufficient", "insufficientpermissions"), (Meaning.REFUSED, _SCOPE)),
    "notacalendaruser": (Meaning.REFUSED, "an administrator switches Calendar on for this person"),
    "domainpolicy": (Meaning.REFUSED, "an administrator allows third-party access to Calendar for this organisation"),
    "forbiddenfornonorganizer": (Meaning.REFUSED, "only the organiser can change this meeting; ask them"),
    "pushnotsupportedforrequestedresource": (
        Meaning.REFUSED, "this calendar cannot be watched; it is looked at on a schedule",
    ),
    **dict.fromkeys(("autherror", "access_token_expired", "credentials_missing"), (Meaning.TOKEN, "")),
}  # fmt: skip
"""A reason in lower case → what it means and what to do: it counts before the status, since limits come with 403 as well."""

STATUSES: Mapping[int, Meaning] = {
    HTTPStatus.UNAUTHORIZED: Meaning.TOKEN,
    HTTPStatus.REQUEST_TIMEOUT: Meaning.LATER,
    HTTPStatus.TOO_MANY_REQUESTS: Meaning.LATER,
    HTTPStatus.NOT_IMPLEMENTED: Meaning.FAULT,
}
"""HTTP status → what it means. Any other 5xx is for later; any other 4xx is refused."""

_SERVER_ERRORS = 500


def meaning_of(status: int, reasons: Sequence[str]) -> tuple[Meaning, str]:
    """Look an answer up in the tables: what it means, and advice or ""."""
    found = [REASONS[reason.lower()] for reason in reasons if reason.lower() in REASONS]
    if found:
        return min(found, key=lambda each: each[0].value)
    later = status >= _SERVER_ERRORS
    return STATUSES.get(status, Meaning.LATER if later else Meaning.REFUSED), ""


def failure(
    doing: Doing, status: int, reasons: Sequence[str], message: str, headers: Mapping[str, str]
) -> RoomsyncError:
    """
    Name a refusal after what must be done about it.

    Args:
        doing: What the call was for.
        status: The HTTP status.
        reasons: Those of the body's `errors` and `details`; compared without regard to case.
        message: The body's message; may quote our own addresses, never content.
        headers: Of the answer: `Retry-After` and `Date` are read, though Google documents none.
    """
    said = f"{doing}: Google answered {status} {', '.join(reasons) or '(no reason)'}: {message[:300]}"
    meaning, advice = meaning_of(status, reasons)
    if doing is Doing.LOOK and _refuses_cursor(status, meaning, message):
        return CursorExpiredError(said)
    if meaning is Meaning.HOURS:
        return RetryableError(said, retry_after_s=retry_after_s(headers) or QUOTA_PAUSE_S)
    if meaning is Meaning.LATER and not (doing is Doing.BOOKING and status == HTTPStatus.CONFLICT):
        return RetryableError(said, retry_after_s=retry_after_s(headers))
    if meaning is Meaning.TOKEN:
        return TokenRefusedError(said, code=next(iter(reasons), str(status)))
    return _of_this_call(doing, status, said) or RefusedError(f"{said}; {advice}" if advice else said)


def _of_this_call(doing: Doing, status: int, said: str) -> RoomsyncError | None:
    """What an answer means for this kind of call alone."""
    gone = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    if gone and doing is Doing.EVENT:
        return EventGoneError(said)
    if gone and doing is Doing.STOPPING:
        return SubscriptionGoneError(said)
    if doing is Doing.BOOKING and status == HTTPStatus.CONFLICT:
        return ConflictError(said)
    if status == HTTPStatus.PRECONDITION_FAILED:
        return PreconditionFailedError(said)
    return None


def _refuses_cursor(status: int, meaning: Meaning, message: str) -> bool:
    if status == HTTPStatus.GONE or meaning is Meaning.CURSOR:
        return True
    # A corrupt or foreign token is 400 `invalid`, as reported by several clients; Google documents only 410.
    return status == HTTPStatus.BAD_REQUEST and "sync token" in message.lower()
