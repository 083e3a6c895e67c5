"""Reads the JSON object that a program sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import request

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from shared.language.deciding.sentences import say

T = TypeVar("T", bound=msgspec.Struct)


def read_object() -> dict[str, Any]:
    """Read the object that was sent; an empty one where none was, so that each field is missed by its own name."""
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def read_fields(kind: type[T]) -> T:
    """
    Read the fields of `kind`, each of which has a default, out of the object that was sent.

    What cannot be used counts as left out: what is made of the default says what to send.
    """
    try:
        return read_form(read_object(), kind)
    except FieldError:
        return kind()


def require_object(example: str = "one") -> dict[str, Any]:
    """
    Read the object that was sent.

    Args:
        example: What to send instead, for whoever sent something else.

    Raises:
        ProblemError: 400, there is none.
    """
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "json-missing",
            say("The body must be a JSON object."),
            next_step=say("Send {example}.").format(example=example),
        )
    return body
