"""Attendees and their answers, in the four words that deciding needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What an attendee said. `none`, `notResponded` and `needsAction` are all NONE."""

    NONE = "none"
    TENTATIVE = "tentative"
    ACCEPTED = "accepted"
    DECLINED = "declined"


_WEIGHTS = {answer: weight for weight, answer in enumerate(("tentative", "declined", "accepted"), start=1)}


def weight_of(answer: str) -> int:
    """
    Compare the answers to several invitations of one room, whose greatest counts.

    A room that is invited under two of its addresses answers one of them, and the other keeps no answer for good. One that has
    accepted under any of them holds the booking.

    Args:
        answer: An `Answer`, or another word, which weighs nothing.
    """
    return _WEIGHTS.get(answer, 0)


def opened_answers(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> dict[str, Answer]:
    """
    Find the answers that were given before and are open after.

    Args:
        before: Address → answer, before the attendees were written.
        after: The same, afterwards. Who is not among them has left.

    Returns:
        Address → the answer that was given.
    """
    return {
        address: answer
        for address, answer in before.items()
        if answer is not Answer.NONE and after.get(address) is Answer.NONE
    }


class AttendeeKind(StrEnum):
    """A person, or a place."""

    PERSON = "person"
    ROOM = "room"


class CopyRole(StrEnum):
    """Whose copy of a meeting one reads."""

    ORGANIZER = "organizer"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class SeenAttendee:
    """An attendee as read: in memory only, never at rest (addresses are hashed before anything is written)."""

    address: str
    """Lower-cased; empty when the provider sent none."""
    kind: AttendeeKind
    answer: Answer
    is_self: bool = False
    """Whether the provider says that it is the person of the calendar that was read, whatever address they are invited by."""
    answered_at_ms: int = 0
    """When the answer was given, by the provider's clock; 0: none was, or the provider does not say it (Google)."""
