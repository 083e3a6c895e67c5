"""
What a failed Graph call asks of us. Pure: status, code and headers in, one of our errors out.

Sources (read 2026-11-20): learn.microsoft.com/graph/errors (statuses and codes), /graph/throttling (429, `Retry-After`),
/graph/delta-query-overview (410, `syncStateNotFound`), and the Exchange response codes that Graph passes through with an
`Error` before them (learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode).
"""

from __future__ import annotations

from collections.abc import Mapping
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


class Meaning(Enum):
    """What an answer means, whatever the call was for."""

    LATER = auto()
    """The same call succeeds later."""
    CURSOR = auto()
    """The delta token is no longer good."""
    TOKEN = auto()
    """The access token is not taken; whether the grant is gone only the token endpoint says."""
    REFUSED = auto()
    """This person may not, until somebody changes a right or a setting."""
    FAULT = auto()
    """The request itself is wrong: ours to mend."""


_RIGHTS = "the grant lacks a right: an administrator approves the listed permissions, then the person reconnects"
_NO_MAILBOX = "this person has no mailbox in Exchange Online; an administrator gives them one"
_OURS = "the request itself is wrong: report the code and upgrade roomsync"

CODES: Mapping[str, tuple[Meaning, str]] = {
    **dict.fromkeys(("syncstatenotfound", "syncstateinvalid", "resyncrequired"), (Meaning.CURSOR, "")),
    **dict.fromkeys(
        (
            "toomanyrequests", "applicationthrottled", "activitylimitreached", "errorserverbusy", "mailboxinfostale",
            "errormailboxstoreunavailable", "errormailboxmoveinprogress", "errortimeoutexpired", "errorconnectionfailed",
            "errorexceededconnectioncount", "errorinternalservererror", "errorinternalservertransienterror",
            "errortoomanyobjectsopened", "errorproxyrequestprocessingfailed", "errorbatchprocessingstopped",
            "serviceunavailable", "servicenotavailable", "timeout",
        ),
        (Meaning.LATER, ""),
    ),
    **dict.fromkeys(
        ("erroraccessdenied", "accessdenied", "authorization_requestdenied", "forbidden"), (Meaning.REFUSED, _RIGHTS)
    ),
    **dict.fromkeys(
        ("mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "errornonexistentmailbox", "errormailboxnotfound"),
        (Meaning.REFUSED, _NO_MAILBOX),
    ),
    "notimplemented": (Meaning.FAULT, _OURS),
}  # fmt: skip
"""`error.code` in lower case → what it means and what to do: it counts before the status."""

STATUSES: Mapping[int, tuple[Meaning, str]] = {
    HTTPStatus.UNAUTHORIZED: (Meaning.TOKEN, ""),
    HTTPStatus.FORBIDDEN: (Meaning.REFUSED, _RIGHTS),
    HTTPStatus.REQUEST_TIMEOUT: (Meaning.LATER, ""),
    HTTPStatus.LOCKED: (Meaning.LATER, ""),
    HTTPStatus.TOO_EARLY: (Meaning.LATER, ""),
    HTTPStatus.TOO_MANY_REQUESTS: (Meaning.LATER, ""),
    HTTPStatus.NOT_IMPLEMENTED: (Meaning.FAULT, _OURS),
    **dict.fromkeys((405, 406, 411, 413, 415, 416, 422), (Meaning.FAULT, _OURS)),
}
"""HTTP status → what it means. Any other 5xx is for later; any other 4xx is refused."""

_SERVER_ERRORS = 500
_GONE: Mapping[Doing, type[EventGoneError | SubscriptionGoneError]] = {
    Doing.EVENT: EventGoneError,
    Doing.SUBSCRIPTION: SubscriptionGoneError,
}


def meaning_of(status: int, code: str) -> tuple[Meaning, str]:
    """Look an answer up in the tables: what it means, and advice or ""."""
    if status == HTTPStatus.UNAUTHORIZED:
        return STATUSES[status]  # whatever the code: an expired token is also called `AccessDenied`
    found = CODES.get(code.lower()) or STATUSES.get(status)
    return found or (Meaning.LATER if status >= _SERVER_ERRORS else Meaning.REFUSED, "")


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
    meaning, advice = meaning_of(status, code)
    if meaning is Meaning.CURSOR or (status == HTTPStatus.GONE and doing is Doing.LOOK):
        return CursorExpiredError(said)
    if meaning is Meaning.LATER:
        return RetryableError(said, retry_after_s=retry_after_s(headers))
    if meaning is Meaning.TOKEN:
        return TokenRefusedError(said, code=code or str(status))
    return _of_this_call(doing, status, message, said) or RefusedError(f"{said}; {advice}" if advice else said)


def _of_this_call(doing: Doing, status: int, message: str, said: str) -> RoomsyncError | None:
    """What an answer means for this kind of call alone."""
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and doing in _GONE:
        return _GONE[doing](said)
    if doing is Doing.EVENT and status in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT}:
        return PreconditionFailedError(said)
    if doing is Doing.SUBSCRIBING and status == HTTPStatus.CONFLICT:
        return ConflictError(said)
    if doing in {Doing.SUBSCRIBING, Doing.SUBSCRIPTION} and "validation request" in message.lower():
        # Graph could not reach our own receiver: that mends itself when the receiver is back.
        return RetryableError(f"{said}; check that ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL reaches the receiver")
    return None
