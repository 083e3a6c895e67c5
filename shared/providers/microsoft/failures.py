"""What a failed Graph call asks of us. Pure: status, code and headers in, one of our errors out."""

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

_RESET_CODES = {"syncstatenotfound", "syncstateinvalid", "resyncrequired"}
_BUSY_STATUSES = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_BUSY_CODES = {"toomanyrequests", "applicationthrottled", "activitylimitreached"}
_SERVER_ERRORS = 500


class Doing(StrEnum):
    """What the call was for: a 404 means something else for a subscription than for an event."""

    LOOK = "looking at the calendar"
    EVENT = "reading or changing an event"
    SUBSCRIBING = "making a subscription"
    SUBSCRIPTION = "keeping a subscription"
    AVAILABILITY = "reading free/busy"
    AGENDA = "reading the agenda"
    BOOKING = "making a meeting"
    DIRECTORY = "reading the directory of rooms"


def failure(doing: Doing, status: int, code: str, message: str, headers: Mapping[str, str]) -> RoomsyncError:
    """
    Name a refusal after what must be done about it.

    Args:
        doing: What the call was for.
        status: The HTTP status.
        code: `error.code` of the body, "" if there was none; compared without regard to case.
        message: `error.message`; may quote our own addresses, never content.
        headers: Of the answer: `Retry-After` and `Date` are read.
    """
    said = f"{doing}: Graph answered {status} {code or '(no code)'}: {message[:300]}"
    word = code.lower()
    if word in _RESET_CODES or (status == HTTPStatus.GONE and doing is Doing.LOOK):
        return CursorExpiredError(said)
    if status in _BUSY_STATUSES or status >= _SERVER_ERRORS or word in _BUSY_CODES:
        return RetryableError(said, retry_after_s=retry_after_s(headers))
    if status == HTTPStatus.UNAUTHORIZED:
        return ConsentRevokedError(said, code=code or "401")
    return _refusal(doing, status, word, message, said)


def _refusal(doing: Doing, status: int, word: str, message: str, said: str) -> RoomsyncError:
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and doing in _GONE:
        return _GONE[doing](said)
    if doing is Doing.EVENT and status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT}:
        return PreconditionFailedError(said)
    if doing is Doing.SUBSCRIBING and status == HTTPStatus.CONFLICT:
        return ConflictError(said)
    if doing in {Doing.SUBSCRIBING, Doing.SUBSCRIPTION} and "validation request" in message.lower():
        # Graph could not reach our own receiver: that mends itself when the receiver is back.
        return RetryableError(f"{said}; check that ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL reaches the receiver")
    return RefusedError(said + _advice(status, word))


_GONE: Mapping[Doing, type[EventGoneError | SubscriptionGoneError]] = {
    Doing.EVENT: EventGoneError,
    Doing.SUBSCRIPTION: SubscriptionGoneError,
}


def _advice(status: int, word: str) -> str:
    if word == "erroraccessdenied" or status == HTTPStatus.FORBIDDEN:
        return "; the grant lacks a right: an administrator approves the listed permissions, then the person reconnects"
    return ""
