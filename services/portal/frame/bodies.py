"""Reads the JSON object that a program sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import request

from services.portal.frame.problems import ProblemError


def read_object() -> dict[str, Any]:
    """Read the object that was sent; an empty one where none was, so that each field is missed by its own name."""
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


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
            HTTPStatus.BAD_REQUEST, "json-missing", "The body must be a JSON object.", next_step=f"Send {example}."
        )
    return body
