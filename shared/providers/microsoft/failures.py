"""
What a failed Graph call asks of us. Pure: status, code and headers in, one of our errors out.

Sources (read 2026-11-20): learn.microsoft.com/graph/errors (statuses and codes), /graph/throttling (429, `Retry-After`),
/graph/delta-query-overview (410, `syncStateNotFound`), and the Exchange response codes that Graph passes through with an
`Error` before them (learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from shared.errors import ConflictError, PreconditionFailedError, RoomsyncError, WebhookUnreachableError
from shared.providers.failures import Doing, Failures, Known, Meaning

_RIGHTS = "the grant lacks a right: an administrator approves the listed permissions, then the person reconnects"
_NO_MAILBOX = "this person has no mailbox in Exchange Online; an administrator gives them one"
_OURS = Known(Meaning.FAULT, "the request itself is wrong: report the code and upgrade roomsync")
_LATER = Known(Meaning.LATER)
_UNREACHED = "validation request"
"""
In the sentence of a subscription that failed since Graph could not reach our receiver, whose code, `InvalidRequest`, is that
of any bad request (OfficeDev/microsoft-graph-nodejs-webhooks-sample#350).
"""

FAILURES = Failures(
    name="Graph",
    codes={
        **dict.fromkeys(("syncstatenotfound", "syncstateinvalid", "resyncrequired"), Known(Meaning.CURSOR)),
        **dict.fromkeys(
            (
                "toomanyrequests", "applicationthrottled", "activitylimitreached", "errorserverbusy", "mailboxinfostale",
                "errormailboxstoreunavailable", "errormailboxmoveinprogress", "errortimeoutexpired",
                "errorconnectionfailed", "errorexceededconnectioncount", "errorinternalservererror",
                "errorinternalservertransienterror", "errortoomanyobjectsopened", "errorproxyrequestprocessingfailed",
                "errorbatchprocessingstopped", "serviceunavailable", "servicenotavailable", "timeout",
            ),
            _LATER,
        ),
        **dict.fromkeys(
            ("erroraccessdenied", "accessdenied", "authorization_requestdenied"), Known(Meaning.NO_RIGHT, _RIGHTS)
        ),
        "forbidden": Known(Meaning.REFUSED, _RIGHTS),
        **dict.fromkeys(
            (
                "mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "errornonexistentmailbox",
                "errormailboxnotfound",
            ),
            Known(Meaning.NO_CALENDAR, _NO_MAILBOX),
        ),
        "notimplemented": _OURS,
    },
    statuses={
        HTTPStatus.FORBIDDEN: Known(Meaning.REFUSED, _RIGHTS),
        HTTPStatus.LOCKED: _LATER,
        HTTPStatus.TOO_EARLY: _LATER,
        HTTPStatus.NOT_IMPLEMENTED: _OURS,
        **dict.fromkeys((405, 406, 411, 413, 415, 416, 422), _OURS),
    },
    decisive=frozenset({HTTPStatus.UNAUTHORIZED}),  # an expired token is also called `AccessDenied`
    errors={
        (Doing.EVENT, HTTPStatus.CONFLICT): PreconditionFailedError,
        (Doing.SUBSCRIBING, HTTPStatus.CONFLICT): ConflictError,
    },
)  # fmt: skip


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
    answer = FAILURES.read(doing, status, [code] if code else [], message, headers)
    subscribes = doing in {Doing.SUBSCRIBING, Doing.SUBSCRIPTION} and answer.known.meaning is Meaning.REFUSED
    if subscribes and _UNREACHED in message.lower():  # mends itself when the receiver is back
        return WebhookUnreachableError(
            f"{FAILURES.describe(answer)}; check that ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL reaches the receiver",
            provider_status=status,
            provider_code=answer.code,
        )
    return FAILURES.choose_error(answer)
