"""What can go wrong in a test: our code, its meaning, who can fix it and how, one table for both providers. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from http import HTTPStatus

from services.portal.admin.integration.testflow.deciding.run import Step
from services.portal.sign_in.refusals import BY_CODE, OTHER, Refusal, Who, explain_refusal, provider_code
from shared.errors import (
    ClientRefusedError,
    ConsentRevokedError,
    EventGoneError,
    LogUnavailableError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    StoreUnavailableError,
    TokenRefusedError,
    WebhookUnreachableError,
)
from shared.language.deciding.sentences import say
from shared.providers.catalogue import meaning_of
from shared.providers.failures import Meaning


class TroubleCode(StrEnum):
    """Ours, for what only a test can find; those of a sign-in are in `refusals`."""

    WEBHOOK_UNREACHABLE = "webhook-unreachable"
    ROOM_MISSING = "room-missing"
    ROOM_INVISIBLE = "room-invisible"
    ROOM_SILENT = "room-silent"
    EVENT_GONE = "event-gone"
    PERMISSION_LOST = "permission-lost"
    CALENDAR_REFUSED = "calendar-refused"
    NO_CALENDAR = "no-calendar"
    SERVICE_AWAY = "service-away"
    INTERRUPTED = "interrupted"
    CLEAN_UP_UNFINISHED = "clean-up-unfinished"
    INTERNAL = "internal"


_TABLE = (
    Refusal(
        TroubleCode.WEBHOOK_UNREACHABLE,
        say("The provider could not reach this service to tell it about a change."),
        Who.OPERATOR,
        say(
            "Make the receiver reachable for the provider under ROOMSYNC_HOOKS_URL or ROOMSYNC_PUBLIC_URL: over HTTPS, with a "
            "certificate that is publicly trusted, through every firewall."
        ),
    ),
    Refusal(
        TroubleCode.ROOM_MISSING,
        say("There is no meeting room to test with: none is entered, and the directory shows none."),
        Who.YOU,
        say("Enter a room, or import them, under Rooms."),
    ),
    Refusal(
        TroubleCode.ROOM_INVISIBLE,
        say(
            "The calendar of the meeting room cannot be seen: its address is wrong, or its free/busy times are not shared."
        ),
        Who.IT,
        say(
            "Compare the room's address with the directory, and have the room's free/busy times shared with everybody."
        ),
    ),
    Refusal(
        TroubleCode.ROOM_SILENT,
        say("The meeting room did not answer in time."),
        Who.IT,
        say(
            "Have the room accept bookings by itself, or have only rooms that do stand under Rooms until the test has passed; then "
            "try again."
        ),
    ),
    Refusal(
        TroubleCode.EVENT_GONE,
        say("The test's event was deleted from the calendar before the room's answer was seen."),
        Who.YOU,
        say("Try again, and leave the event “roomsync test” alone: the test removes it by itself."),
    ),
    Refusal(
        TroubleCode.PERMISSION_LOST,
        say("The permission was taken back, or ended, while the test was under way."),
        Who.YOU,
        say("Try again and give it once more; if it is lost again, ask your IT administrator what ends it."),
    ),
    Refusal(
        TroubleCode.CALENDAR_REFUSED,
        say("The provider lets the permission be given, and refuses to let it be used."),
        Who.IT,
        say("Check that the account has a calendar and that no policy keeps applications away from it."),
    ),
    Refusal(
        TroubleCode.NO_CALENDAR,
        say("The account has no calendar at this provider."),
        Who.IT,
        say("Give the account a mailbox with a calendar, or sign in with one that has."),
    ),
    Refusal(
        TroubleCode.SERVICE_AWAY,
        say("This service's own log or store could not be reached during the test."),
        Who.OPERATOR,
        say("Look at the service's health, then try again."),
    ),
    Refusal(
        TroubleCode.INTERRUPTED,
        say("The service was restarted, or could not reach its own store, during the test."),
        Who.YOU,
        say("Try again; what the test had made is removed first."),
    ),
    Refusal(
        TroubleCode.CLEAN_UP_UNFINISHED,
        say("Not everything that the test had made could be removed yet."),
        Who.YOU,
        say(
            "Try again, which removes it first. An event called “roomsync test” in your calendar may be deleted by hand; "
            "the subscription ends by itself within an hour."
        ),
    ),
    Refusal(
        TroubleCode.INTERNAL,
        say("Something went wrong in this service that is not in our list."),
        Who.OPERATOR,
        say("Look for `test_flow_crashed` in the portal's log, and report it with the diagnosis."),
    ),
)
TROUBLES = {**BY_CODE, **{each.code: each for each in _TABLE}}
"""Code → everything a page says about it."""

_GONE = {"no_consent", "no_user", "AADSTS50173", "AADSTS700082", "AADSTS70043", "AADSTS700084"}
_NOT_OF_A_CODE = re.compile(r"[^A-Za-z0-9_.-]")
_CODE_CHARS = 100


def trouble_of(step: Step, error: Exception) -> tuple[str, str]:
    """
    What an error during `step` comes to.

    Returns:
        Our code, and what the provider itself called it: a status and a word, never its free text.
    """
    code = _code_of(step, error)
    if isinstance(error, ConsentRevokedError | TokenRefusedError):
        return code, provider_code(error.code, error.code)
    if code == TroubleCode.INTERNAL or not isinstance(error, RoomsyncError):
        return code, type(error).__name__
    return code, _provider_words(error)


def _code_of(step: Step, error: Exception) -> str:
    match error:
        case LogUnavailableError() | StoreUnavailableError():
            return TroubleCode.SERVICE_AWAY
        case ConsentRevokedError(code=code) | TokenRefusedError(code=code):
            return _lost(code)
        case EventGoneError():
            return TroubleCode.EVENT_GONE
        case RetryableError() | RefusedError():
            return _answered(step, error)
    return TroubleCode.INTERNAL


def _answered(step: Step, error: RetryableError | RefusedError) -> str:
    meaning = meaning_of(error.provider_code)
    if step is Step.SUBSCRIBE and (isinstance(error, WebhookUnreachableError) or meaning is Meaning.WEBHOOK):
        return TroubleCode.WEBHOOK_UNREACHABLE
    return "provider-busy" if isinstance(error, RetryableError) else _refused(step, error, meaning)


def changed_nothing(error: Exception) -> bool:
    """Whether the provider itself said no (4xx): then nothing was made. After silence or a 5xx nobody knows."""
    status = error.provider_status if isinstance(error, RoomsyncError) else 0
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def about(code: str) -> Refusal:
    """Everything a page says about `code`."""
    return TROUBLES.get(code, OTHER)


def _lost(code: str) -> str:
    found = explain_refusal(code, code)
    if found.code == "code-expired" or code in _GONE:  # at a sign-in it is the code that has expired; here it was used
        return TroubleCode.PERMISSION_LOST
    return found.code if found is not OTHER else TroubleCode.CALENDAR_REFUSED


def _refused(step: Step, error: RefusedError, meaning: Meaning | None) -> str:
    if isinstance(error, ClientRefusedError):
        return "secret-expired"
    if meaning is Meaning.NO_CALENDAR:
        return TroubleCode.NO_CALENDAR
    if step is Step.ROOM:
        return TroubleCode.ROOM_INVISIBLE
    return "scope-missing" if meaning is Meaning.NO_RIGHT else TroubleCode.CALENDAR_REFUSED


def _provider_words(error: RoomsyncError) -> str:
    code = _NOT_OF_A_CODE.sub("", error.provider_code[:_CODE_CHARS])
    if isinstance(error, ClientRefusedError) or not error.provider_status:
        return code
    return f"{error.provider_status} {code}".strip()
