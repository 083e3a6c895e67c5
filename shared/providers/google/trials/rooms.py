"""Beliefs about rooms at Google, tried on a room that the person may book and that is free three weeks ahead at night."""

from __future__ import annotations

from shared.domain.instants import HOUR_MS
from shared.providers.google.trials import events
from shared.providers.trials.rooms import ACCEPTED, RoomMeetings
from shared.providers.trials.service import Json
from shared.providers.trials.trial import BeliefTrial, TrialContext


def answers_survive_patch(context: TrialContext) -> str:
    """Write the attendees of an accepted meeting as they were read."""
    event = _MEETINGS.booked(context)
    after = events.change(context, event["id"], attendees=event["attendees"])
    answer = _answer(context, after)
    return "" if answer == ACCEPTED else f"accepted became {answer}"


def move_asks_again(context: TrialContext) -> str:
    """Move an accepted meeting by two hours; right afterwards its room has not answered."""
    event, at_ms = _MEETINGS.booked(context), context.start_ms() + 2 * HOUR_MS
    moved = events.change(context, event["id"], start=events.at(at_ms), end=events.at(at_ms + HOUR_MS))
    return "" if _answer(context, moved) != ACCEPTED else "the answer for the earlier time stands"


def series_at_once(context: TrialContext) -> str:
    """Change one date of a series for itself, then invite the room to the series."""
    room = [{"email": context.needs_room(), "resource": True}]
    series = events.create_series(context)
    changed = events.dates_of(context, series)[1]
    events.change(context, changed["id"], summary=f"{changed['summary']} (changed)")
    events.change(context, series["id"], attendees=room)
    asked = {date["id"]: _answer(context, date) != "absent" for date in events.dates_of(context, series)}
    apart = asked.pop(changed["id"])
    if not all(asked.values()):
        return "a date does not have the room that its series has"
    return "the date that was changed for itself has the room, too" if apart else ""


def _create(context: TrialContext) -> Json:
    return events.create(context, attendees=[{"email": context.needs_room(), "resource": True}], transparency="opaque")


def _answer(context: TrialContext, event: Json) -> str:
    """What the event says of the room's answer."""
    for one in event.get("attendees") or ():
        if str(one.get("email")).lower() == context.room.lower():
            return str(one.get("responseStatus"))
    return "absent"


_MEETINGS = RoomMeetings(_create, events.read, _answer)
TRIALS = (
    BeliefTrial("google.room-declines", _MEETINGS.room_declines, writes=True),
    BeliefTrial("google.answers-survive-patch", answers_survive_patch, writes=True),
    BeliefTrial("google.series-at-once", series_at_once, writes=True),
    BeliefTrial("google.move-asks-again", move_asks_again, writes=True),
)
