"""
Says of a route below `/v1` what it takes and answers: beside the route, in the types that it reads and returns.

The decorator stands between the route and its view. The view's docstring is the summary, its return annotation the answer's type,
and what it returns is sent as JSON; so the document says what the code does, and mypy holds the one against the other.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

import msgspec
from flask import jsonify, make_response
from werkzeug.wrappers import Response

from shared.domain.roles import Right

P = ParamSpec("P")
R = TypeVar("R")
JSON = "application/json"
EVENT_STREAM = "text/event-stream"
_ATTRIBUTE = "operation"


class Audience(StrEnum):
    """Whom an operation is for that asks for no right."""

    ANYBODY = "anybody"
    MEMBER = "member"
    """Whoever is signed in."""
    SERVICE = "service"
    """A back-end service with its token."""


Access = Right | Audience

CALENDAR_PROBLEMS = ("calendar-busy", "calendar-refuses", "calendar-suspended", "not-connected")
"""What a route can answer that asks the person's calendar system while they wait."""
WRITING_PROBLEMS = ("writes-off", "read-only-permission", "idempotency-key-missing")
"""What a route can answer that changes the person's calendar."""
LEAVING_PROBLEMS = ("public-url", "no-such-provider", "provider-slow")
"""What a route can answer that sends the browser to a provider."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What one route takes and answers."""

    access: Access
    summary: str
    """The first sentence of the view's docstring."""
    description: str
    """What follows after it; "" for nothing."""
    answer: Any
    """The type of the answer; NoneType where there is no body."""
    status: HTTPStatus
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    headers: type[msgspec.Struct] | None
    problems: tuple[str, ...]
    """Codes of its own; those that follow from access and method are added in the document."""
    tokens: bool
    """Whether back-end services may call it as well, with their token."""
    media_type: str
    events: tuple[tuple[str, Any], ...]
    """Of a stream: the name of each event, and the type of its data."""


def operation(
    access: Access,
    *,
    status: HTTPStatus | None = None,
    answer: Any = None,
    body: type[msgspec.Struct] | None = None,
    query: type[msgspec.Struct] | None = None,
    headers: type[msgspec.Struct] | None = None,
    problems: tuple[str, ...] = (),
    tokens: bool = False,
    media_type: str = JSON,
    events: tuple[tuple[str, Any], ...] = (),
) -> Callable[[Callable[P, R]], Callable[P, Response]]:
    """
    Describe a view, and send what it returns as JSON.

    Args:
        access: Who may call it: a right, or whoever needs none.
        status: Of the answer that was hoped for; 200, or 204 where nothing is returned.
        answer: The answer's type, for a view that returns a response; else its return annotation.
        body: The form that is read out of the JSON object.
        query: The parameters in the address.
        headers: The request's headers that matter.
        problems: Codes that it can answer beyond those which follow from `access` and the method.
        tokens: Whether back-end services may call it as well, with their token.
        media_type: Of the answer.
        events: Of a stream: names and types of its events.

    Raises:
        TypeError: the view has no docstring or no return annotation.
    """

    def describe(view: Callable[P, R]) -> Callable[P, Response]:
        returned = typing.get_type_hints(view).get("return", answer) if answer is None else answer
        if returned is None or not view.__doc__:
            message = f"{view.__qualname__} needs a docstring and a return annotation: they are its documentation"
            raise TypeError(message)
        nothing = returned is type(None)
        summary, _, description = view.__doc__.strip().partition("\n")
        found = Operation(
            access=access,
            summary=summary.strip(),
            description=" ".join(description.split()),
            answer=returned,
            status=status or (HTTPStatus.NO_CONTENT if nothing else HTTPStatus.OK),
            body=body,
            query=query,
            headers=headers,
            problems=problems,
            tokens=tokens,
            media_type=media_type,
            events=events,
        )

        @wraps(view)
        def answered(*args: P.args, **kwargs: P.kwargs) -> Response:
            return _as_response(view(*args, **kwargs), found.status)

        setattr(answered, _ATTRIBUTE, found)
        return answered

    return describe


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Read what was said of a view; None when nothing was."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def _as_response(value: object, status: HTTPStatus) -> Response:
    if isinstance(value, Response):
        return value
    return make_response("" if value is None else jsonify(value), status)
