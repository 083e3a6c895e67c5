"""Reads filters of rooms out of an address, or says which one cannot be used. Pure."""

from __future__ import annotations

from http import HTTPStatus

from werkzeug.datastructures import MultiDict

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from services.portal.meetings.deciding.room_filter import (
    CONDITION_WORDS,
    MAX_CHARS,
    MAX_SEATS,
    Condition,
    RoomFilter,
    SeatedFilterFields,
    filter_of,
)
from shared.domain.equipment import MAX_EQUIPMENT, MAX_NAME_CHARS
from shared.language.deciding.sentences import join_sentences, say

_LINE = say("Name one of those that the rooms have, in one line of at most {most} characters.").format(most=MAX_CHARS)
_RULES = {
    Condition.BUILDING: _LINE,
    Condition.FLOOR: _LINE,
    Condition.SEATS: say("Ask for 0 to {most} seats.").format(most=MAX_SEATS),
    Condition.EQUIPMENT: say("Name at most {most} things, each with at most {chars} characters.").format(
        most=MAX_EQUIPMENT, chars=MAX_NAME_CHARS
    ),
    Condition.ACCESSIBLE: say("Send 1, or leave it out."),
}


def read_filter(sent: MultiDict[str, str]) -> RoomFilter:
    """
    Read `building`, `floor`, `seats`, `equipment` (as often as there are names) and `accessible`.

    Raises:
        ProblemError: 422, one of them cannot be used.
    """
    try:
        return filter_of(read_form(fields_of(sent), SeatedFilterFields))
    except FieldError as error:
        raise refuse_filter(error) from error


def fields_of(sent: MultiDict[str, str]) -> dict[str, object]:
    """Each field of a form or an address once; equipment with all that was sent of it."""
    return {**sent.to_dict(), "equipment": [name for name in sent.getlist("equipment") if name.strip()]}


def refuse_filter(error: FieldError) -> ProblemError:
    """Say which filter cannot be used, and what it may be."""
    condition = Condition(error.field)
    title = say("The filter “{filter}” cannot be used.").format(filter=CONDITION_WORDS[condition])
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "filter-invalid",
        join_sentences(title, error.why),
        next_step=_RULES[condition],
    )
