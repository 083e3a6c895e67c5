"""Beliefs about rooms at Google, tried on a room that the person may book and that is free three weeks ahead at night."""

from __future__ import annotations

from shared.domain.instants import HOUR_MS
from shared.providers.google.trials import events
from shared.providers.trials.service import CannotTryError, Json
from shared.providers.trials.trial import BeliefTrial, TrialContext

_ACCEPTED, _DECLINED = "accepted", "declined"


def room_declines(context: TrialContext) -> str:
    """Book the room twice at one time."""
    _booked(context)
    second = _create(context)
    answer = context.eventually(lambda: _answered(context, second, {_ACCEPTED, _DECLINED}))
    if answer == _ACCEPTED:
        message = "the room accepts two meetings at one time"
        raise CannotTryError(message)
    return "" if answer else "the second meeting's room shows no answer"


def answers_survive_patch(context: TrialContext) -> str:
    """Write the attendees of an accepted meeting as they were read."""
    event = _booked(context)
    after = events.change(context, event["id"], attendees=event["attendees"])
    answer = _answer(context, after)
    return "" if answer == _ACCEPTED else f"accepted became {answer}"


def move_asks_again(context: TrialContext) -> str:
    """Move an accepted meeting by two hours; right afterwards its room has not answered."""
    event, at_ms = _booked(context), events.start_ms(context) + 2 * HOUR_MS
    moved = events.change(context, event["id"], start=events.at(at_ms), end=events.at(at_ms + HOUR_MS))
    return "" if _answer(context, moved) != _ACCEPTED else "the answer for the earlier time stands"


def _create(context: TrialContext) -> Json:
    return events.create(context, attendees=[{"email": context.needs_room(), "resource": True}], transparency="opaque")


def _booked(context: TrialContext) -> Json:
    """A meeting whose room has accepted."""
    event = _create(context)
    if context.eventually(lambda: _answered(context, event, {_ACCEPTED})) is None:
        message = "the room did not accept in time: name one that accepts by itself, or more --patience-s"
        raise CannotTryError(message)
    return events.read(context, event["id"])


def _answered(context: TrialContext, event: Json, among: set[str]) -> str | None:
    answer = _answer(context, events.read(context, event["id"]))
    return answer if answer in among else None


def _answer(context: TrialContext, event: Json) -> str:
    """What the event says of the room's answer."""
    for one in event.get("attendees") or ():
        if str(one.get("email")).lower() == context.room.lower():
            return str(one.get("responseStatus"))
    return "absent"


TRIALS = (
    BeliefTrial("google.room-declines", room_declines, writes=True),
    BeliefTrial("google.answers-survive-patch", answers_survive_patch, writes=True),
    BeliefTrial("google.move-asks-again", move_asks_again, writes=True),
)
