"""What a failed Google call asks of us. Pure: status, reason and headers in, one of our errors out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from shared.domain.retry_after import retry_after_s
from shared.errors import (
    ConflictError,
    ConsentRevokedError,
    CursorExpiredError,
    EventGoneError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    SubscriptionGoneError,
)

QUOTA_PAUSE_S = 2 * 3600.0  # an abuse limit of one user lasts hours, and hammering lengthens it
_RATE_REASONS = {"userratelimitexceeded", "ratelimitexceeded", "conflict", "backenderror", "channelidnotunique"}
_QUOTA_REASONS = {"quotaexceeded", "dailylimitexceeded"}
_SERVER_ERRORS = 500
_ADVICE = {
    "insufficientpermissions": "the grant lacks a right: reconnect and leave every box ticked",
    "accessnotconfigured": "switch the Calendar API on in the Google Cloud project",
    "notacalendaruser": "an administrator switches Calendar on for this person",
    "forbiddenfornonorganizer": "only the organiser can change this meeting; ask them",
    "pushnotsupportedforrequestedresource": "this calendar cannot be watched; it is looked at on a schedule",
    "push.webhookurlnothttps": "ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL must be an https address",
    "push.webhookurlunauthorized": "verify the domain of ROOMSYNC_PUBLIC_URL for the Google Cloud project",
}


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


def failure(doing: Doing, status: int, reason: str, message: str, headers: Mapping[str, str]) -> RoomsyncError:
    """
    Name a refusal after what must be done about it: by reason first, since Google says "slow down" with 403 as well.

    Args:
        doing: What the call was for.
        status: The HTTP status.
        reason: `errors[0].reason` of the body, "" if there was none; compared without regard to case.
        message: The body's message; may quote our own addresses, never content.
        headers: Of the answer: `Retry-After` and `Date` are read, though Google documents none.
    """
    said = f"{doing}: Google answered {status} {reason or '(no reason)'}: {message[:300]}"
    word = reason.lower()
    if doing is Doing.LOOK and _refuses_cursor(status, word, message):
        return CursorExpiredError(said)
    if word in _QUOTA_REASONS:
        return RetryableError(said, retry_after_s=retry_after_s(headers) or QUOTA_PAUSE_S)
    if _is_busy(status, word):
        return RetryableError(said, retry_after_s=retry_after_s(headers))
    if status == HTTPStatus.UNAUTHORIZED and not word.startswith("push."):
        return ConsentRevokedError(said, code=reason or "401")
    return _refusal(doing, status, word, said)


def _refusal(doing: Doing, status: int, word: str, said: str) -> RoomsyncError:
    gone = status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
    if gone and doing is Doing.EVENT:
        return EventGoneError(said)
    if gone and doing is Doing.STOPPING:
        return SubscriptionGoneError(said)
    if doing is Doing.BOOKING and status == HTTPStatus.CONFLICT:
        return ConflictError(said)
    if status == HTTPStatus.PRECONDITION_FAILED:
        return PreconditionFailedError(said)
    advice = _ADVICE.get(word, "")
    return RefusedError(f"{said}; {advice}" if advice else said)


def _refuses_cursor(status: int, word: str, message: str) -> bool:
    if status == HTTPStatus.GONE or word in {"fullsyncrequired", "updatedmintoolongago"}:
        return True
    # A corrupt or foreign token is 400 `invalid`, as reported by several clients; Google documents only 410.
    return status == HTTPStatus.BAD_REQUEST and "sync token" in message.lower()


def _is_busy(status: int, word: str) -> bool:
    busy = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
    return word in _RATE_REASONS or status in busy or status >= _SERVER_ERRORS
