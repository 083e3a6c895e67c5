"""How a room is doing, from what is known of its answers: whether it can be seen, booked, and whether it answers. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.meeting_state import RoomRecord, RoomState
from shared.domain.sighting import Availability
from shared.language.deciding.sentences import say, say_many

ENOUGH = 3
"""So many answers make a habit."""
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


class RoomCheck(StrEnum):
    """One question about a room."""

    YES = "yes"
    NO = "no"
    UNTRIED = "untried"
    """Nothing has happened yet that would tell."""


@dataclass(frozen=True, slots=True)
class Health:
    """What an administrator reads in one line, and what they can do about it."""

    visible: RoomCheck
    bookable: RoomCheck
    answers: RoomCheck
    accepted: int
    declined: int
    waiting: int
    usual_answer_ms: int | None
    """The median time to an answer; None when no answer was ever waited for."""
    fixes: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether nothing has to be done."""
        return not self.fixes


def health_of(memories: Iterable[RoomRecord], said: Availability | None, *, now_ms: int, silent_ms: int) -> Health:
    """
    Judge one room.

    Args:
        memories: Every date that asked it, as far as it is remembered (until the meeting is past).
        said: What free/busy said when it was last asked; None when nobody could ask.
        silent_ms: For how long a room may think it over before it counts as silent.
    """
    known = [memory for memory in memories if memory.state not in {RoomState.GONE, RoomState.UNKNOWN}]
    accepted = sum(memory.state in {RoomState.ACCEPTED, RoomState.RELEASED} for memory in known)
    declined = sum(memory.state is RoomState.DECLINED for memory in known)
    waiting = [memory for memory in known if memory.state is RoomState.PENDING]
    silent = [memory for memory in waiting if now_ms - memory.asked_at_ms > silent_ms]
    visible = _visible(said)
    bookable = RoomCheck.YES if accepted else RoomCheck.NO if declined >= ENOUGH else RoomCheck.UNTRIED
    answers = RoomCheck.NO if silent else RoomCheck.YES if accepted or declined else RoomCheck.UNTRIED
    return Health(
        visible=visible,
        bookable=bookable,
        answers=answers,
        accepted=accepted,
        declined=declined,
        waiting=len(waiting),
        usual_answer_ms=_usual(known),
        fixes=tuple(_fixes(visible, bookable, answers, len(silent), declined)),
    )


def span_words(span_ms: int) -> str:
    """`4 s`, `9 min`, `2 h`, `3 days`."""
    seconds = max(round(span_ms / 1000), 1)
    if seconds >= _DAY_S:
        return say_many("{count} day", "{count} days", round(seconds / _DAY_S))
    if seconds >= _HOUR_S:
        return say("{count} h").format(count=round(seconds / _HOUR_S))
    if seconds >= _MINUTE_S:
        return say("{count} min").format(count=round(seconds / _MINUTE_S))
    return say("{count} s").format(count=seconds)


def _visible(said: Availability | None) -> RoomCheck:
    if said is None:
        return RoomCheck.UNTRIED
    return RoomCheck.NO if said is Availability.UNKNOWN else RoomCheck.YES


def _usual(known: Sequence[RoomRecord]) -> int | None:
    """Answers that stood already when the meeting was first seen say nothing about how long they took."""
    waits = [
        memory.since_ms - memory.asked_at_ms
        for memory in known
        if memory.state in {RoomState.ACCEPTED, RoomState.DECLINED} and memory.since_ms > memory.asked_at_ms
    ]
    return int(statistics.median(waits)) if waits else None


def _fixes(visible: RoomCheck, bookable: RoomCheck, answers: RoomCheck, silent: int, declined: int) -> Iterable[str]:
    if visible is RoomCheck.NO:
        yield say(
            "Its calendar cannot be seen: check the address, and share the room's free/busy with everybody in the"
            " organisation."
        )
    if answers is RoomCheck.NO:
        yield say_many(
            "It has left {count} request without an answer for long: switch on automatic processing of its mailbox, or remind"
            " whoever approves its bookings.",
            "It has left {count} requests without an answer for long: switch on automatic processing of its mailbox, or remind"
            " whoever approves its bookings.",
            silent,
        )
    if bookable is RoomCheck.NO:
        yield say(
            "It has declined all {count} requests: its booking rules may allow only some people, or short meetings."
        ).format(count=declined)
