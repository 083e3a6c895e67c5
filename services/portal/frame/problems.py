"""What went wrong, for programs as RFC 9457 problem documents, for people as a page: always with a code and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from services.portal.frame.deciding.refilled import Refilled
from shared.errors import (
    ConsentRevokedError,
    GrantSuspendedError,
    KeyDestroyedError,
    LogUnavailableError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    RowRefusedError,
    StoreUnavailableError,
)
from shared.language.deciding.sentences import join_sentences, say
from shared.runtime.logging import get_logger
from shared.runtime.redaction import mask_text

_log = get_logger()
_IN_PATHS = "/:@!$&'()*+,;="
"""Beside letters and digits, what stands in the path of a URI reference as it is (RFC 3986, section 3.3)."""


class ProblemError(RoomsyncError):
    """An answer that is not the one hoped for."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        title: str,
        *,
        next_step: str,
        retry_after_s: int | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        """
        Say what is wrong and what to do.

        Args:
            status: Of the HTTP answer.
            code: For programs; never changes once published.
            title: One sentence for a person.
            next_step: What that person, or whoever they ask, does now.
            retry_after_s: Sent as Retry-After, in seconds.
            members: Further members of the document, for programs.
        """
        super().__init__(title)
        self.status = status
        self.code = code
        self.title = title
        self.next_step = next_step
        self.retry_after_s = retry_after_s
        self.members = dict(members or {})


class FieldProblemError(ProblemError):
    """What was sent in one field of a form cannot be used: a page brings the form back with that field marked."""

    def __init__(self, status: HTTPStatus, code: str, title: str, *, next_step: str, field: str) -> None:
        """Name the field as it is sent; the rest as any problem has it."""
        super().__init__(status, code, title, next_step=next_step)
        self.field = field

    def refill(self, sent: Mapping[str, str]) -> Refilled:
        """The form as it was sent, with the field marked."""
        return Refilled(dict(sent), self.field, join_sentences(self.title, self.next_step))


def problem_of(error: RoomsyncError) -> ProblemError:
    """The problem that stands for one of the product's own failures."""
    if isinstance(error, ProblemError):
        return error
    return _ours(error) or _unforeseen(error)


def _ours(error: RoomsyncError) -> ProblemError | None:
    match error:
        case LogUnavailableError():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "log-unavailable",
                say("Nothing can be recorded at the moment; nothing was changed."),
                next_step=_SOON,
                retry_after_s=2,
            )
        case StoreUnavailableError():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "rebuilding",
                say("The answer is being rebuilt or cannot be reached at the moment."),
                next_step=_SOON,
                retry_after_s=2,
            )
        case KeyDestroyedError():
            return not_enabled()
        case RowRefusedError():
            return _refused_row(error)
    return _calendars(error)


def _calendars(error: RoomsyncError) -> ProblemError | None:
    match error:
        case GrantSuspendedError():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "calendar-suspended",
                say("Your calendar system refuses us at the moment; your permission is kept."),
                next_step=say("We keep trying. What it says, and who can mend it, is on your profile: /profile"),
                retry_after_s=int(error.retry_after_s or 5),
            )
        case RetryableError():
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "calendar-busy",
                say("Your calendar system is busy or away."),
                next_step=say("Try again in a moment."),
                retry_after_s=int(error.retry_after_s or 5),
            )
        case RefusedError():
            return ProblemError(
                HTTPStatus.CONFLICT,
                "calendar-refuses",
                say("Your calendar system refuses this."),
                next_step=say("Connect your calendar again; if that does not help, ask your administrator."),
            )
        case ConsentRevokedError():
            return ProblemError(
                HTTPStatus.CONFLICT,
                "not-connected",
                say("Your calendar is not connected."),
                next_step=say("Connect it on your profile: /profile"),
            )
    return None


def _unforeseen(error: RoomsyncError) -> ProblemError:
    _log.error("request_failed", error=mask_text(str(error)), kind=type(error).__name__)
    return _broken()


def _refused_row(error: RowRefusedError) -> ProblemError:
    _log.error("registry_row_refused", row="/".join(error.place), error=mask_text(str(error)))
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "row-refused",
        say("Something that is stored for you or your organisation is not as we wrote it, and is not used."),
        next_step=say(
            "Tell whoever operates roomsync: `roomsync doctor` names the row and what to do. Trying again does not help."
        ),
    )


def not_enabled(
    contact: str = "", *, title: str = say("This is not switched on for your organisation."), next_step: str = ""
) -> ProblemError:
    """
    Say that the organisation has not switched the integration on, or has switched it off.

    Args:
        contact: Whom to ask, as the organisation entered it.
        title: What cannot be done because of it.
        next_step: What to do instead; "" for asking whoever can switch it on.
    """
    whom = f" ({contact})" if contact else ""
    asking = say("Ask your subscription administrator{whom} to switch it on.").format(whom=whom)
    return ProblemError(HTTPStatus.CONFLICT, "not-enabled", title, next_step=next_step or asking)


def not_allowed(contact: str = "") -> ProblemError:
    """The person has no right to this; says whom to ask."""
    whom = f" ({contact})" if contact else ""
    return ProblemError(
        HTTPStatus.FORBIDDEN,
        "not-allowed",
        say("You have no right to this."),
        next_step=say("Ask your subscription administrator{whom}.").format(whom=whom),
    )


def register(app: Flask) -> None:
    """Answer every failure of `app` as a problem."""

    @app.errorhandler(RoomsyncError)
    def known(error: RoomsyncError) -> Response:
        return answer(problem_of(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or 500)
        code = status.phrase.lower().replace(" ", "-")
        title = say(error.description or status.phrase)
        problem = ProblemError(status, code, title, next_step=_NEXT.get(status, _GENERAL))
        response = answer(problem)
        for name, value in error.get_headers():
            if name.lower() == "allow":
                response.headers[name] = value
        return response

    @app.errorhandler(UnicodeEncodeError)
    def half_characters(_error: UnicodeEncodeError) -> Response:
        problem = ProblemError(
            HTTPStatus.BAD_REQUEST,
            "bad-characters",
            say("There is half a character in what was sent."),
            next_step=say("Send text that UTF-8 can carry: JSON's \\u escapes of a surrogate come in pairs."),
        )
        return answer(problem)

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        _log.exception("request_crashed", path=request.path, kind=type(error).__name__)
        return answer(_broken())


def answer(problem: ProblemError) -> Response:
    """As JSON below `/v1`, as a page elsewhere."""
    response = _document(problem) if request.path.startswith("/v1/") else _page(problem)
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    if problem.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer" if request.path.startswith("/v1/room-") else "Cookie"
    return response


def _document(problem: ProblemError) -> Response:
    response = jsonify(
        {
            "type": "about:blank",
            "title": problem.title,
            "status": problem.status.value,
            "code": problem.code,
            "next": problem.next_step,
            "instance": quote(request.path, safe=_IN_PATHS, errors="replace"),
            **problem.members,
        }
    )
    response.status_code = problem.status
    response.content_type = "application/problem+json"
    return response


def _page(problem: ProblemError) -> Response:
    return make_response(render_template("problem.html", problem=problem), problem.status)


def _broken() -> ProblemError:
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        say("Something went wrong here."),
        next_step=say("Try again; if it stays, tell your administrator when it happened."),
    )


_OF_THE_FRAMEWORK = (
    say(
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling"
        " and try again."
    ),
    say("The method is not allowed for the requested URL."),
    say("The browser (or proxy) sent a request that this server could not understand."),
    say("The data value transmitted exceeds the capacity limit."),
    say("Did not attempt to load JSON data because the request Content-Type was not 'application/json'."),
)
"""What Werkzeug says of requests that lead nowhere, so that the catalogues know it."""
_SOON = say("Try again in a moment.")
_GENERAL = say("Check the request against the documentation of the interface.")
_NEXT = {
    HTTPStatus.NOT_FOUND: say("Check the address, or go back to your rooms: /"),
    HTTPStatus.METHOD_NOT_ALLOWED: say("Use one of the methods named in the Allow header."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: say("Send Content-Type: application/json."),
}
