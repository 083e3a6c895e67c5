"""A room as pages and programs are shown it. Pure."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from services.portal.admin.rooms.deciding.remedy import RoomRemedy
from services.portal.interface.fields import Address, Count, Instant, RoomId
from services.portal.meetings.deciding.answers import ForecastShape
from services.portal.meetings.deciding.health import RoomCheck
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import RoomProof, RoomRow


class HealthShape(TypedDict):
    """How a room is doing, from what is known of its answers."""

    visible: RoomCheck
    """Whether free/busy shows it."""
    bookable: RoomCheck
    answers: RoomCheck
    accepted: Count
    declined: Count
    waiting: Count
    usualAnswer: Annotated[str, Meta(examples=["4 s"])] | None
    """How long it usually takes."""
    fixes: list[Annotated[str, Meta(examples=["Have your calendar administrator let it accept by itself."])]]
    """What to do."""


class DescribedRoom(TypedDict):
    """What is known of a room, whether it stands in the list or may come to."""

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
    """The part of the floor, as the directory calls it."""
    description: Annotated[str, Meta(examples=["Knock before you enter."])]
    """What the directory shows everybody of it."""


class ListedRoom(DescribedRoom, TypedDict):
    """A room of the organisation's list."""

    paired: bool
    """Whether it is connected: followed, and offered to people."""
    confirmed: RoomProof | None
    """By whose word it counts as a room."""
    confirm: Annotated[str, Meta(examples=["Import your directory's rooms."])] | None
    """What to do so that it counts as one."""
    health: HealthShape
    remedies: list[RoomRemedy]
    """What to enter in the calendar system where its health says that something has to be done."""


def describe_room(room: str, row: RoomRow) -> DescribedRoom:
    """
    What is known of a room.

    Args:
        room: Its id.
        row: As it stands in the list, or would.
    """
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


class RoomDate(TypedDict):
    """When a room is asked for, and how it answered; never whose or what."""

    start: Instant
    end: Instant
    state: RoomState
    since: Instant
    forecast: ForecastShape | None
    """Of a pending one: when it can be expected to answer; null where too few answers are known."""
    words: Annotated[str, Meta(examples=["Usually answers within 5 s; silent for 9 min, unusual."])]
    """The same for people; empty where nothing is said."""
