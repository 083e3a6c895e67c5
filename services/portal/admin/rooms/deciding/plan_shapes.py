"""What an import would do to the list of rooms, as programs are shown it. Pure."""

from __future__ import annotations

from typing import Annotated, TypedDict

import msgspec
from msgspec import Meta

from services.portal.admin.rooms.deciding.room_plan import RoomPlan
from services.portal.admin.rooms.deciding.room_shapes import DescribedRoom, describe_room
from services.portal.interface.fields import Count, Instant, PreviewId, Reference

PlanName = Annotated[
    str,
    Meta(
        examples=["6b86b273ff34fce1"],
        description="Stands for what the preview says. It is another one as soon as the list of rooms has changed.",
    ),
]


class ChangedRoom(DescribedRoom, TypedDict):
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
    new: list[DescribedRoom]
    changed: list[ChangedRoom]
    gone: list[DescribedRoom]
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
        "new": [describe_room(room, row) for room, row in plan.new.items()],
        "changed": [
            {**describe_room(room, row), "changes": list(plan.changes.get(room, ()))}
            for room, row in plan.changed.items()
        ],
        "gone": [describe_room(room, row) for room, row in plan.gone.items()],
        "same": plan.same,
    }
