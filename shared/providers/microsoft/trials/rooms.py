"""Beliefs about rooms in Outlook, tried on a room that the person may book and that is free three weeks ahead at night."""

from __future__ import annotations

from shared.domain.instants import HOUR_MS
from shared.providers.microsoft.booking import utc
from shared.providers.microsoft.trials import events
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
    """Write the attendees of an accepted meeting without their status."""
    event = _booked(context)
    before = _status(context, event)
    bare = [{"type": one["type"], "emailAddress": one["emailAddress"]} for one in event["attendees"]]
    after = _status(context, events.change(context, event["id"], attendees=bare))
    return "" if after == before else f"{before['response']} became {after['response']}, or is newer"


def move_asks_again(context: TrialContext) -> str:
    """Move an accepted meeting by two hours, and look for another answer than the one before."""
    event = _booked(context)
    before, at_ms = _status(context, event), events.start_ms(context) + 2 * HOUR_MS
    events.change(context, event["id"], start=utc(at_ms), end=utc(at_ms + HOUR_MS))
    asked = context.eventually(lambda: _status(context, events.read(context, event["id"])) != before)
    return "" if asked else "the answer for the earlier time stands"


def _create(context: TrialContext) -> Json:
    room = {"type": "resource", "emailAddress": {"address": context.needs_room()}}
    return events.create(context, attendees=[room], showAs="busy")


def _booked(context: TrialContext) -> Json:
    """A meeting whose room has accepted."""
    event = _create(context)
    if context.eventually(lambda: _answered(context, event, {_ACCEPTED})) is None:
        message = "the room did not accept in time: name one that accepts by itself, or more --patience-s"
        raise CannotTryError(message)
    return events.read(context, event["id"])


def _answered(context: TrialContext, event: Json, among: set[str]) -> str | None:
    response = str(_status(context, events.read(context, event["id"])).get("response"))
    return response if response in among else None


def _status(context: TrialContext, event: Json) -> Json:
    """What the event says of the room's answer, with its time."""
    for one in event.get("attendees") or ():
        if str(one["emailAddress"].get("address")).lower() == context.room.lower():
            return dict(one.get("status") or {})
    return {}


TRIALS = (
    BeliefTrial("microsoft.room-declines", room_declines, writes=True),
    BeliefTrial("microsoft.answers-survive-patch", answers_survive_patch, writes=True),
    BeliefTrial("microsoft.move-asks-again", move_asks_again, writes=True),
)
