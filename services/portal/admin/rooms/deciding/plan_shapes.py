"""What an import would do to the list of rooms, as programs are shown it. Pure."""

from __future__ import annotations

from typing import Annotated, TypedDict

import msgspec
from msgspec import Meta

from services.portal.admin.rooms.deciding.room_plan import RoomPlan
from services.portal.interface.fields import Address, Count, Instant, PreviewId, Reference, RoomId
from shared.contracts.rows import RoomRow

PlanName = Annotated[
    str,
    Meta(
        examples=["6b86b273ff34fce1"],
        description="Stands for what the preview says. It is another one as soon as the list of rooms has changed.",
    ),
]


class PlannedRoom(TypedDict):
    """A room as it would stand in the list."""

    id: RoomId
    name: Annotated[str, Meta(examples=["Riverside"])]
    address: Address
    capacity: Count | None
    building: Annotated[str, Meta(examples=["North"])]
    floor: Annotated[str, Meta(examples=["4"])]
    equipment: list[Annotated[str, Meta(examples=["Screen"])]]
    accessible: bool | None
    """Whether it can be used with a wheelchair; null where nobody said."""
    section: Annotated[str, Meta(examples=["East wing"])]
    """The part of the floor."""
    description: Annotated[str, Meta(examples=["Knock before you enter."])]
    """What the directory shows everybody of it."""


class ChangedRoom(PlannedRoom, TypedDict):
    """A room that is in the list and would change."""

    changes: list[Annotated[str, Meta(examples=["Seats: 6 → 8"])]]
    """What would change of it, for a person to read."""


class PreviewAnswer(TypedDict):
    """What the import would do; nothing has been changed yet."""

    preview: PreviewId
    href: Reference
    """Where it is imported, and looked at again."""
    until: Instant
    """The directory's word is kept until then."""
    plan: PlanName
    """Send it with the import."""
    applies: bool
    """Whether there is anything to import."""
    new: list[PlannedRoom]
    changed: list[ChangedRoom]
    gone: list[PlannedRoom]
    """Listed by the directory before, and no more: the import leaves them as they are."""
    same: Count
    """How many rooms stay as they are."""


class ImportBody(msgspec.Struct):
    """Which preview's word is to be done."""

    plan: PlanName = ""
    """The `plan` of the preview that was looked at."""


class ImportedAnswer(TypedDict):
    """What was done."""

    new: Count
    changed: Count


def preview_shape(preview: str, plan: RoomPlan, until: str) -> PreviewAnswer:
    """
    What an import would do.

    Args:
        preview: The name of the preview.
        plan: What it shows.
        until: When it ends.
    """
    return {
        "preview": preview,
        "href": f"/v1/admin/rooms/import/{preview}",
        "until": until,
        "plan": plan.name,
        "applies": plan.applies,
        "new": [_planned(room, row) for room, row in plan.new.items()],
        "changed": [
            {**_planned(room, row), "changes": list(plan.changes.get(room, ()))} for room, row in plan.changed.items()
        ],
        "gone": [_planned(room, row) for room, row in plan.gone.items()],
        "same": plan.same,
    }


def _planned(room: str, row: RoomRow) -> PlannedRoom:
    return {
        "id": room,
        "name": row.name,
        "address": row.address,
        "capacity": row.capacity or None,
        "building": row.building,
        "floor": row.floor,
        "equipment": list(row.equipment),
        "accessible": row.accessible,
        "section": row.section,
        "description": row.description,
    }
