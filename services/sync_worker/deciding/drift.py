"""What differs between the references that are held and what the calendar shows, by kind. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.sync_worker.deciding.references import References, rooms_of
from shared.contracts.calendar_state import EventReference
from shared.domain.attendees import Answer
from shared.domain.sighting import EventKind


class DriftKind(StrEnum):
    """In what a reference differs from its event."""

    MISSING = "missing"
    """The calendar has the event, and no reference of it is held."""
    EXTRA = "extra"
    """A reference is held of an event that the calendar does not have."""
    TIME = "time"
    ROOM = "room"
    """Other rooms are invited."""
    ANSWER = "answer"
    """A room has answered otherwise."""
    IDENTITY = "identity"
    """Another meeting, another date of its series, or another role of the mailbox's person."""


@dataclass(frozen=True, slots=True)
class DriftCount:
    """What an audit of one mailbox compared, and what it found."""

    compared: int = 0
    """Dates to come, in the calendar or in the references."""
    found: Counter[DriftKind] = field(default_factory=Counter)
    """A date may differ in more than one way."""


def find_drift(held: References, shown: References, now_ms: int) -> DriftCount:
    """
    Compare what is held with what the calendar shows, date by date.

    A date that is over at either side is left out: what is past slides out of the window, and nothing is told of it any more. A
    series counts by its dates.

    Args:
        held: The references after everything was applied that the calendar has announced as a change.
        shown: Those after the whole calendar was read.
        now_ms: Epoch milliseconds.
    """
    dates = sorted(one for one in {*held, *shown} if _is_ahead(held.get(one), shown.get(one), now_ms))
    return DriftCount(len(dates), Counter(kind for one in dates for kind in _differences(one, held, shown)))


def _is_ahead(held: EventReference | None, shown: EventReference | None, now_ms: int) -> bool:
    sides = [each for each in (held, shown) if each is not None]
    return all(each.kind != EventKind.MASTER and _end_of(each) > now_ms for each in sides)


def _end_of(part: EventReference) -> int:
    return part.ends_ms or part.end_ms


def _differences(event_id: str, held: References, shown: References) -> Iterator[DriftKind]:
    before, after = held.get(event_id), shown.get(event_id)
    if before is None:
        yield DriftKind.MISSING
    elif after is None:
        yield DriftKind.EXTRA
    else:
        yield from _differences_of(before, after, rooms_of(before, held), rooms_of(after, shown))


def _differences_of(
    before: EventReference, after: EventReference, earlier: Mapping[str, Answer], now: Mapping[str, Answer]
) -> Iterator[DriftKind]:
    if _time_of(before) != _time_of(after):
        yield DriftKind.TIME
    if earlier.keys() != now.keys():
        yield DriftKind.ROOM
    if any(now.get(room, answer) != answer for room, answer in earlier.items()):
        yield DriftKind.ANSWER
    if _identity_of(before) != _identity_of(after):
        yield DriftKind.IDENTITY


def _time_of(part: EventReference) -> tuple[int, int, int, int, bool]:
    return part.start_ms, part.end_ms, part.begins_ms, part.ends_ms, part.all_day


def _identity_of(part: EventReference) -> tuple[str, str, str, str, bool]:
    return part.uid, part.master_id, part.slot, part.organizer, part.is_organizer
