"""What a request about a prompt names: the room to take, the other dates, the key of a repetition; from a form or as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from flask import request
from msgspec import Meta

from services.portal.frame.bodies import read_object
from services.portal.frame.problems import ProblemError
from services.portal.interface.fields import PromptId, RoomId
from services.portal.meetings.deciding.room_filter import SeatedFilterFields
from services.portal.meetings.takes import MAX_KEY_CHARS
from shared.language.deciding.sentences import say

IDEMPOTENCY_HEADER = "Idempotency-Key"
MAX_ROOM_ID_CHARS = 64
ALSO_PROBLEMS = ("also-not-a-list", "no-such-prompt", "not-one-series")
"""What a route can answer that is for several prompts of one series."""


class PromptsQuery(msgspec.Struct):
    """Which prompts."""

    include: Annotated[str, Meta(examples=["closed"])] = ""
    """`closed`: also those for which nothing is to be done any more."""


class AlsoQuery(msgspec.Struct):
    """For several dates of a series at once."""

    also: tuple[PromptId, ...] = ()
    """Other prompts whose `series.id` is the same, ten at the most."""


class ChoicesQuery(SeatedFilterFields, frozen=True):
    """Which rooms are wanted, and for which other dates as well."""

    also: tuple[PromptId, ...] = ()
    """Other prompts whose `series.id` is the same, ten at the most."""


class AlsoBody(msgspec.Struct):
    """For several dates of a series at once."""

    also: tuple[PromptId, ...] = ()
    """Other prompts whose `series.id` is the same, ten at the most."""


class TakeBody(AlsoBody, kw_only=True):
    """Which room."""

    roomId: Annotated[RoomId, Meta(min_length=1, max_length=MAX_ROOM_ID_CHARS)]  # noqa: N815  # as it is sent
    """One of those listed under the prompt's `choices`."""
    wholeSeries: bool = False  # noqa: N815  # as it is sent
    """Change the series once instead of each date, where the `choices` of these prompts say that it goes."""


class KeyHeaders(msgspec.Struct, rename={"key": IDEMPOTENCY_HEADER}):
    """What makes a repetition the same request."""

    key: Annotated[str, Meta(min_length=1, max_length=MAX_KEY_CHARS, examples=["b7f3c1d2-5e6f-4a7b"])]
    """A fresh random key with each wish, and the same one when it is repeated."""


def read_key() -> str:
    """The key that makes a repetition the same request; a form sends it as a field. "" when there is none."""
    return request.headers.get(IDEMPOTENCY_HEADER, "") or request.form.get("key", "")


def read_room_id() -> str:
    """
    The room that is to be taken.

    Raises:
        ProblemError: 400, none is named, or it cannot be the id of a room.
    """
    room = request.form.get("roomId") or read_object().get("roomId")
    if not isinstance(room, str) or not room.isascii() or not 0 < len(room) <= MAX_ROOM_ID_CHARS:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "room-missing",
            say('The body must be JSON with the room to take: {"roomId": "…"}.'),
            next_step=say("Take one of those listed under the prompt's `choices`."),
        )
    return room


def read_whole_series() -> bool:
    """Whether the series is to be changed as a whole."""
    return request.form.get("wholeSeries") == "1" or read_object().get("wholeSeries") is True


def read_also() -> list[str]:
    """
    The ids of other prompts of the same series that the request is for as well; from the query, a form or JSON.

    Raises:
        ProblemError: 400, it is no list of ids.
    """
    named: Any = request.args.getlist("also") or request.form.getlist("also") or read_object().get("also", [])
    if not isinstance(named, list) or not all(isinstance(each, str) and each.isascii() for each in named):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "also-not-a-list",
            say("`also` names other prompts of the same series: a list of their ids."),
            next_step=say("See /v1/me/prompts, or leave it out."),
        )
    return named
