"""
Names a provider's refusing answer after what must be done about it: one of our errors. Pure.

Each provider's package has the table of its published codes, with its source; what they have in common is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from http import HTTPStatus
from typing import NamedTuple

from shared.domain.retry_after import retry_after_s
from shared.errors import (
    CursorExpiredError,
    EventGoneError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    SubscriptionGoneError,
    TokenRefusedError,
)

_SERVER_ERRORS = 500
_SHOWN_CHARS = 300
_CODE_CHARS = 100


class Doing(StrEnum):
    """What the call was for: a 404 means something else for a subscription than for an event."""

    LOOK = "looking at the calendar"
    EVENT = "reading or changing an event"
    SUBSCRIBING = "making a subscription"
    SUBSCRIPTION = "keeping or ending a subscription"
    AVAILABILITY = "reading free/busy"
    AGENDA = "reading the agenda"
    BOOKING = "making a meeting"
    DIRECTORY = "reading the directory of rooms"
    PROFILE = "reading one's own profile"


class Meaning(Enum):
    """What an answer means, whatever the call was for. In the order in which several codes of one answer count."""

    HOURS = auto()
    """The same call succeeds hours later."""
    LATER = auto()
    """The same call succeeds later."""
    CURSOR = auto()
    """The delta or sync token is no longer good."""
    WEBHOOK = auto()
    """The address of our own receiver is not taken: for the operator."""
    FAULT = auto()
    """Our own project or request is wrong: for the operator."""
    NO_CALENDAR = auto()
    """This person has no calendar there."""
    NO_RIGHT = auto()
    """The grant lacks a right."""
    REFUSED = auto()
    """This person may not, until somebody changes a right or a setting."""
    TOKEN = auto()
    """The access token is not taken; whether the grant is gone only the token endpoint says."""


class Known(NamedTuple):
    """A row of a table."""

    meaning: Meaning
    advice: str = ""
    """What to do, for people; "" where nothing is to be done."""


class FailedAnswer(NamedTuple):
    """A refusing answer, with what it means."""

    doing: Doing
    status: int
    code: str
    """The provider's own, as sent: the one that decided, else the first; "" for none."""
    message: str
    """The provider's sentence, which may quote our own addresses, never content."""
    known: Known
    headers: Mapping[str, str]


Errors = Mapping[tuple[Doing, int], type[RoomsyncError]]

_ERRORS: Errors = {
    (Doing.LOOK, HTTPStatus.GONE): CursorExpiredError,
    (Doing.EVENT, HTTPStatus.NOT_FOUND): EventGoneError,
    (Doing.EVENT, HTTPStatus.GONE): EventGoneError,
    (Doing.EVENT, HTTPStatus.PRECONDITION_FAILED): PreconditionFailedError,
    (Doing.SUBSCRIPTION, HTTPStatus.NOT_FOUND): SubscriptionGoneError,
    (Doing.SUBSCRIPTION, HTTPStatus.GONE): SubscriptionGoneError,
}
_STATUSES: Mapping[int, Known] = {
    HTTPStatus.UNAUTHORIZED: Known(Meaning.TOKEN),
    HTTPStatus.REQUEST_TIMEOUT: Known(Meaning.LATER),
    HTTPStatus.TOO_MANY_REQUESTS: Known(Meaning.LATER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """What a provider's refusing answers mean."""

    name: str
    """Of the service that answers, for logs."""
    codes: Mapping[str, Known]
    """The provider's code in lower case → what it means: it counts before the status."""
    statuses: Mapping[int, Known] = field(default_factory=dict)
    """HTTP status → what it means there, beside what it means anywhere. Other 5xx are for later, other 4xx are refused."""
    errors: Errors = field(default_factory=dict)
    """What the call was for and HTTP status → the error; counts before the meaning."""
    decisive: frozenset[int] = frozenset()
    """Statuses that count before any code."""
    hours_s: float = 0.0
    """How long a limit lasts that is counted in hours, in seconds."""

    def find_meaning(self, code: str) -> Meaning | None:
        """What the provider's code means by itself; None for one that it does not publish."""
        known = self.codes.get(code.lower())
        return known.meaning if known else None

    def read(
        self, doing: Doing, status: int, codes: Sequence[str], message: str, headers: Mapping[str, str]
    ) -> FailedAnswer:
        """
        Look an answer up in the tables.

        Args:
            doing: What the call was for.
            status: The HTTP status.
            codes: The provider's own, compared without regard to case.
            message: The provider's sentence.
            headers: Of the answer: `Retry-After` and `Date` are read.
        """
        listed = [code for code in codes if status not in self.decisive and code.lower() in self.codes]
        if listed:
            code = min(listed, key=lambda each: self.codes[each.lower()].meaning.value)
            known = self.codes[code.lower()]
        else:
            code, known = next(iter(codes), ""), self._read_status(status)
        return FailedAnswer(doing, status, code[:_CODE_CHARS], message, known, headers)

    def choose_error(self, answer: FailedAnswer) -> RoomsyncError:
        """The error that an answer asks for; it carries the answer's status and code."""
        error = self._choose_error(answer, self.describe(answer))
        error.provider_status, error.provider_code = answer.status, answer.code
        return error

    def describe(self, answer: FailedAnswer) -> str:
        """What was done and answered, for logs."""
        code = answer.code or "(no code)"
        return f"{answer.doing}: {self.name} answered {answer.status} {code}: {answer.message[:_SHOWN_CHARS]}"

    def _choose_error(self, answer: FailedAnswer, text: str) -> RoomsyncError:
        call = answer.doing, answer.status
        if call in self.errors:
            return self.errors[call](text)
        error = self._choose_by_meaning(answer, text)
        if error is None and call in _ERRORS:
            return _ERRORS[call](text)
        return error or RefusedError(f"{text}; {answer.known.advice}" if answer.known.advice else text)

    def _choose_by_meaning(self, answer: FailedAnswer, text: str) -> RoomsyncError | None:
        match answer.known.meaning:
            case Meaning.CURSOR if answer.doing is Doing.LOOK:
                return CursorExpiredError(text)
            case Meaning.HOURS:
                return RetryableError(text, retry_after_s=retry_after_s(answer.headers) or self.hours_s)
            case Meaning.LATER:
                return RetryableError(text, retry_after_s=retry_after_s(answer.headers))
            case Meaning.TOKEN:
                return TokenRefusedError(text, code=answer.code or str(answer.status))
        return None

    def _read_status(self, status: int) -> Known:
        other = Known(Meaning.LATER if status >= _SERVER_ERRORS else Meaning.REFUSED)
        return {**_STATUSES, **self.statuses}.get(status, other)
