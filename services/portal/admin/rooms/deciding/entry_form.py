"""What an administrator enters about a room, checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from services.portal.frame.deciding.email_addresses import is_address
from services.portal.frame.problems import ProblemError
from shared.contracts.rows import RoomRow

_MAX_CHARS = 120
MOST_SEATS = 10_000


def entered(sent: Mapping[str, Any]) -> RoomRow:
    """
    A room out of a form or a JSON object: `address`, `name`, `capacity`, `building`, `floor`.

    Raises:
        ProblemError: 422, naming the field and what it must be.
    """
    address = _text(sent, "address").lower()
    if not is_address(address):
        raise _bad(field="address", must="the e-mail address of the room, as your calendar system's directory shows it")
    return RoomRow(
        address=address,
        name=_text(sent, "name") or address.partition("@")[0],
        capacity=_capacity(sent.get("capacity")),
        building=_text(sent, "building"),
        floor=_text(sent, "floor"),
    )


def _text(sent: Mapping[str, Any], field: str) -> str:
    value = sent.get(field)
    if value is None:
        return ""
    text = str(value).strip()
    if len(text) > _MAX_CHARS or not text.isprintable():
        raise _bad(field=field, must=f"one line of at most {_MAX_CHARS} characters")
    return text


def _capacity(value: object) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,5}", str(value)) or int(str(value)) > MOST_SEATS:
        raise _bad(field="capacity", must=f"a number of seats from 0 (not known) to {MOST_SEATS}")
    return int(str(value))


def _bad(field: str, must: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "room-invalid",
        f"The {field} of the room cannot be used.",
        next_step=f"Enter {must}.",
    )
