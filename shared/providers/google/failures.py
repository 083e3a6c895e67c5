"""
What a failed Google call asks of us. Pure: status, reasons and headers in, one of our errors out.

Sources (read 2026-11-20): developers.google.com/workspace/calendar/api/guides/errors (reasons under `errors`),
cloud.google.com/apis/design/errors and googleapis/google/api/error_reason.proto (reasons under `details`, which stand beside
the others in newer answers), /guides/quota (a limit may come as 403 or 429), /guides/push (channels).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from shared.errors import ConflictError, RoomsyncError
from shared.providers.failures import Doing, Failures, Known, Meaning

QUOTA_PAUSE_S = 2 * 3600.0  # an abuse limit of one user lasts hours, and hammering lengthens it

_SCOPE = "the grant lacks a right: reconnect and leave every box ticked"
_SWITCHED_OFF = "enable the Calendar API, and the Admin SDK API to import rooms, in the Google Cloud project"
_CHANNEL_HTTPS = "ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL must be an https address"
_CHANNEL_DOMAIN = "verify the domain of ROOMSYNC_PUBLIC_URL for the Google Cloud project"
_NO_CALENDAR = "an administrator switches Calendar on for this person"
_POLICY = "an administrator allows third-party access to Calendar for this organisation"
_NOT_THEIRS = "only the organiser can change this meeting; ask them"
_UNWATCHED = "this calendar cannot be watched; it is looked at on a schedule"

FAILURES = Failures(
    name="Google",
    codes={
        **dict.fromkeys(("quotaexceeded", "dailylimitexceeded", "dailylimitexceededunreg"), Known(Meaning.HOURS)),
        **dict.fromkeys(
            (
                "ratelimitexceeded", "userratelimitexceeded", "rate_limit_exceeded", "resource_quota_exceeded", "conflict",
                "backenderror", "internalerror", "transienterror", "channelidnotunique",
            ),
            Known(Meaning.LATER),
        ),
        # A corrupt or foreign token is 400 `invalid`, as reported by several clients; Google documents only 410.
        **dict.fromkeys(("fullsyncrequired", "updatedmintoolongago", "invalid"), Known(Meaning.CURSOR)),
        **dict.fromkeys(("accessnotconfigured", "service_disabled"), Known(Meaning.FAULT, _SWITCHED_OFF)),
        "push.webhookurlnothttps": Known(Meaning.WEBHOOK, _CHANNEL_HTTPS),
        "push.webhookurlunauthorized": Known(Meaning.WEBHOOK, _CHANNEL_DOMAIN),
        **dict.fromkeys(("access_token_scope_insufficient", "insufficientpermissions"), Known(Meaning.NO_RIGHT, _SCOPE)),
        "notacalendaruser": Known(Meaning.NO_CALENDAR, _NO_CALENDAR),
        "domainpolicy": Known(Meaning.REFUSED, _POLICY),
        "forbiddenfornonorganizer": Known(Meaning.REFUSED, _NOT_THEIRS),
        "pushnotsupportedforrequestedresource": Known(Meaning.REFUSED, _UNWATCHED),
        **dict.fromkeys(("autherror", "access_token_expired", "credentials_missing"), Known(Meaning.TOKEN)),
    },
    statuses={HTTPStatus.NOT_IMPLEMENTED: Known(Meaning.FAULT)},
    errors={(Doing.BOOKING, HTTPStatus.CONFLICT): ConflictError},
    hours_s=QUOTA_PAUSE_S,
)  # fmt: skip


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
    return FAILURES.choose_error(FAILURES.read(doing, status, [each for each in reasons if each], message, headers))
