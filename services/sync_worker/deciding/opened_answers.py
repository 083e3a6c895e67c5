"""
Answers of rooms that a change of ours has opened at the provider: they count until the room gives another. Pure.

Whoever writes the attendees of an event may open the answers of those who stay, whose rooms are not always asked again: such a
room would read as pending for good, and its decline as taken back (beliefs `….answers-survive-patch`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from shared.contracts.calendar_state import EventReference
from shared.domain.attendees import Answer

OpenedAnswers = Mapping[str, Mapping[str, Answer]]
"""Event id, of a series too → room → what it had answered before a room was taken there and its answer was opened."""
NOTHING_OPENED: OpenedAnswers = MappingProxyType({})


def mark_opened(known: Mapping[str, EventReference], opened: OpenedAnswers) -> dict[str, EventReference]:
    """
    Put on record what rooms had answered.

    Args:
        known: The references of a mailbox.
        opened: What its takes have opened; of a series it holds for all its dates.

    Returns:
        The references that are others now, by event id.
    """
    marked = {}
    for event_id, reference in known.items() if opened else ():
        answers = {**opened.get(reference.master_id, {}), **opened.get(event_id, {})}
        answers = {room: answer for room, answer in answers.items() if room in (reference.rooms or {})}
        if answers:
            marked[event_id] = msgspec.structs.replace(
                reference,
                rooms={**(reference.rooms or {}), **answers},
                opened=tuple(sorted({*reference.opened, *answers})),
            )
    return marked


def keep_opened(found: EventReference, known: Mapping[str, EventReference]) -> EventReference:
    """
    Read an event whose rooms' answers were opened: what they had answered stands, to the same time, until they answer otherwise.

    An answer that is repeated may be an older state of the calendar, so that what was opened stays on record beside it.

    Args:
        found: As a look brought it.
        known: The references of a mailbox, before it.
    """
    before = known.get(found.event_id)
    if before is None or found.rooms is None:
        return found
    master = known.get(before.master_id)
    shown = before if before.rooms is not None or master is None else master
    if not shown.opened or shown.rooms is None or (before.start_ms, before.end_ms) != (found.start_ms, found.end_ms):
        return found
    opened = [room for room in shown.opened if found.rooms.get(room) in {Answer.NONE, shown.rooms.get(room)}]
    kept = [room for room in opened if found.rooms[room] is Answer.NONE]
    return msgspec.structs.replace(
        found,
        rooms={**found.rooms, **{room: shown.rooms[room] for room in kept}},
        answered={**found.answered, **{room: shown.answered[room] for room in kept if room in shown.answered}},
        opened=tuple(opened),
    )
