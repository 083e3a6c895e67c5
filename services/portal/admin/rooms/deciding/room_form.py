"""What an administrator enters about a room, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import FieldProblemError
from shared.contracts.rows import ENTERED, RoomRow
from shared.domain.email_addresses import is_address
from shared.domain.equipment import MAX_EQUIPMENT, MAX_NAME_CHARS, equipment_of
from shared.domain.room_texts import MAX_LINE_CHARS, MAX_SEATS
from shared.language.deciding.sentences import join_sentences, say

MAX_EQUIPMENT_CHARS = 1_300

Line = Annotated[str, Meta(max_length=MAX_LINE_CHARS)]
Equipment = (
    Annotated[str, Meta(max_length=MAX_EQUIPMENT_CHARS, examples=["Screen, Whiteboard"])]
    | Annotated[list[Line], Meta(max_length=MAX_EQUIPMENT)]
)

_RULES = {
    "address": say("Enter the e-mail address of the room, as your calendar system's directory shows it."),
    "equipment": say("Enter at most {most} names of at most {chars} characters, with commas between them.").format(
        most=MAX_EQUIPMENT, chars=MAX_NAME_CHARS
    ),
    "accessible": say("Enter yes, no, or nothing where it is not known."),
    "capacity": say("Enter a number of seats from 0 (not known) to {most}.").format(most=MAX_SEATS),
}
_LINE_RULE = say("Enter one line of at most {most} characters.").format(most=MAX_LINE_CHARS)
_FIELD_WORDS = {
    "address": say("address"),
    "name": say("name"),
    "capacity": say("capacity"),
    "building": say("building"),
    "floor": say("floor"),
    "equipment": say("equipment"),
    "accessible": say("accessible"),
}


class RoomForm(msgspec.Struct, frozen=True):
    """The fields as they are sent, by a form or as JSON."""

    address: Annotated[Line, Meta(examples=["riverside@contoso.test"])]
    name: Line = ""
    capacity: Annotated[int, Meta(ge=0, le=MAX_SEATS)] = 0
    building: Line = ""
    floor: Line = ""
    equipment: Equipment = ""
    """A list of names, or names with commas between them; left out, they stay as they are."""
    accessible: Literal["yes", "no", ""] | bool = ""
    """Whether it can be used with a wheelchair; left out, it stays as it is."""


def read_room(sent: Mapping[str, Any], before: RoomRow | None = None) -> RoomRow:
    """
    Read a room out of a form or a JSON object; the row says nothing yet of pairing, and proves nothing.

    Equipment and wheelchair access that are left out stay as they stand in `before`: whoever knew of neither takes neither away.

    Raises:
        FieldProblemError: 422, naming the field and what it must be.
    """
    try:
        form = read_form(sent, RoomForm)
    except FieldError as error:
        raise _refuse_field(error.field, error.why) from error
    address = form.address.lower()
    if not is_address(address):
        raise _refuse_field(field="address")
    return RoomRow(
        address=address,
        name=form.name or address.partition("@")[0],
        capacity=form.capacity,
        building=form.building,
        floor=form.floor,
        resource=ENTERED,
        equipment=_equipment(sent, form, before),
        accessible=_accessible(sent, form, before),
    )


def with_information(entered: RoomRow, now: RoomRow) -> RoomRow:
    """What an administrator may say of a room; pairing, addresses and the provider's word stay as they stand now."""
    return msgspec.structs.replace(
        now,
        name=entered.name,
        capacity=entered.capacity,
        building=entered.building,
        floor=entered.floor,
        equipment=entered.equipment,
        accessible=entered.accessible,
    )


def _equipment(sent: Mapping[str, Any], form: RoomForm, before: RoomRow | None) -> tuple[str, ...]:
    if "equipment" not in sent:
        return before.equipment if before else ()
    said = form.equipment.split(",") if isinstance(form.equipment, str) else form.equipment
    names = [name.strip() for name in said if name.strip()]
    if len(names) > MAX_EQUIPMENT or any(len(name) > MAX_NAME_CHARS for name in names):
        raise _refuse_field(field="equipment")
    return equipment_of(names)


def _accessible(sent: Mapping[str, Any], form: RoomForm, before: RoomRow | None) -> bool | None:
    if "accessible" not in sent:
        return before.accessible if before else None
    return {"yes": True, "no": False, True: True, False: False}.get(form.accessible)


def _refuse_field(field: str, why: str = "") -> FieldProblemError:
    return FieldProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "room-invalid",
        join_sentences(
            say("The {field} of the room cannot be used.").format(field=_FIELD_WORDS.get(field, field)), why
        ),
        next_step=_RULES.get(field, _LINE_RULE),
        field=field,
    )
