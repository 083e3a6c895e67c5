"""What a page of the day says when the person's calendar system could not be asked, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import TypeVar

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from shared.errors import ConsentRevokedError, RefusedError, RetryableError
from shared.language.deciding.sentences import say
from shared.runtime.logging import get_logger

T = TypeVar("T")

FAILURES = (RetryableError, ConsentRevokedError, RefusedError)
"""What a live call raises in the name of the calendar system."""
_log = get_logger()


def ask_calendar(call: Callable[[], T]) -> tuple[T | None, str]:
    """What `call` returned and "", or None and the words for why it could not be asked."""
    try:
        return call(), ""
    except FAILURES as error:
        return None, describe_failure(error)


def describe_failure(error: Exception) -> str:
    """Say what went wrong, for the person at the page."""
    _log.info("day_not_read", kind=type(error).__name__)
    if isinstance(error, ConsentRevokedError):
        return say("Your calendar is not connected, so it cannot be read. Connect it on your profile.")
    if isinstance(error, RefusedError):
        return say("Your calendar system refuses this. Connecting your calendar again may help.")
    return say("Your calendar system could not be asked just now. Try again in a moment.")


def redirect_to_day(first: str, done: str, day: date) -> Response:
    """Back to the agenda that began at `first`, at `day`, with a word on what was done."""
    where = f"from={first}&" if first and first.replace("-", "").isdigit() else ""
    return redirect(f"/day?{where}done={done}#d-{day.isoformat()}", HTTPStatus.SEE_OTHER)


def redirect_to_sign_in() -> Response:
    """To the sign-in, and from there back to the very page that was asked for."""
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")), HTTPStatus.SEE_OTHER)
