"""Beliefs about rooms in Outlook, tried on a room that the person may book and that is free three weeks ahead at night."""

from __future__ import annotations

from shared.domain.instants import HOUR_MS, from_rfc3339
from shared.providers.microsoft.booking import utc
from shared.providers.microsoft.trials import events
from shared.providers.trials.rooms import ACCEPTED, DECLINED, RoomMeetings
from shared.providers.trials.service import CannotTryError, Json
from shared.providers.trials.trial import BeliefTrial, TrialContext


def answers_survive_patch(context: TrialContext) -> str:
    """Write the attendees of an accepted meeting without their status."""
    event = _MEETINGS.booked(context)
    before = _status(context, event)
    bare = [{"type": one["type"], "emailAddress": one["emailAddress"]} for one in event["attendees"]]
    after = _status(context, events.change(context, event["id"], attendees=bare))
    return "" if after == before else f"{before['response']} became {after['response']}, or is newer"


def written_decline_opens(context: TrialContext) -> str:
    """Write the attendees of an accepted meeting back as they were read, and those of a declined one."""
    accepted, declined = _MEETINGS.booked_twice(context)
    kept, opened = (
        _response(context, events.change(context, event["id"], attendees=event["attendees"]))
        for event in (accepted, declined)
    )
    if opened == DECLINED:
        return "a declined that is written back stays"
    return "" if kept == ACCEPTED else f"an accepted that is written back becomes {kept}"


def answer_moment(context: TrialContext) -> str:
    """Change the title of an accepted meeting, then move it by two hours: its room answers a second time."""
    event = _MEETINGS.booked(context)
    before = _status(context, event)
    if _status(context, events.change(context, event["id"], subject=f"{event['subject']} (changed)")) != before:
        return "another title changed what the room has answered, or when"
    at_ms = context.start_ms() + 2 * HOUR_MS
    events.change(context, event["id"], start=utc(at_ms), end=utc(at_ms + HOUR_MS))

    def look() -> Json | None:
        status = _status(context, events.read(context, event["id"]))
        return status if status != before and status.get("response") in {ACCEPTED, DECLINED} else None

    after = context.eventually(look)
    if after is None:
        message = "the room did not answer a second time after the meeting was moved"
        raise CannotTryError(message)
    first, second = (from_rfc3339(str(status.get("time"))) for status in (before, after))
    return (
        "" if second > first else f"the second answer has the time {after.get('time')}, the first {before.get('time')}"
    )


def move_asks_again(context: TrialContext) -> str:
    """Move an accepted meeting by two hours, and look for another answer than the one before."""
    event = _MEETINGS.booked(context)
    before, at_ms = _status(context, event), context.start_ms() + 2 * HOUR_MS
    events.change(context, event["id"], start=utc(at_ms), end=utc(at_ms + HOUR_MS))
    asked = context.eventually(lambda: _status(context, events.read(context, event["id"])) != before)
    return "" if asked else "the answer for the earlier time stands"


def series_at_once(context: TrialContext) -> str:
    """Change one date of a series for itself, then invite the room to the series."""
    room = [{"type": "resource", "emailAddress": {"address": context.needs_room()}}]
    series = events.create_series(context)
    changed = events.dates_of(context, series)[1]
    events.change(context, changed["id"], subject=f"{changed['subject']} (changed)")
    events.change(context, series["id"], attendees=room)
    asked = {date["id"]: bool(_status(context, date)) for date in events.dates_of(context, series)}
    apart = asked.pop(changed["id"])
    if not all(asked.values()):
        return "a date does not have the room that its series has"
    return "the date that was changed for itself has the room, too" if apart else ""


def _create(context: TrialContext) -> Json:
    room = {"type": "resource", "emailAddress": {"address": context.needs_room()}}
    return events.create(context, attendees=[room], showAs="busy")


def _status(context: TrialContext, event: Json) -> Json:
    """What the event says of the room's answer, with its time."""
    for one in event.get("attendees") or ():
        if str(one["emailAddress"].get("address")).lower() == context.room.lower():
            return dict(one.get("status") or {})
    return {}


def _response(context: TrialContext, event: Json) -> str:
    return str(_status(context, event).get("response"))


_MEETINGS = RoomMeetings(_create, events.read, _response)
TRIALS = (
    BeliefTrial("microsoft.room-declines", _MEETINGS.room_declines, writes=True),
    BeliefTrial("microsoft.answers-survive-patch", answers_survive_patch, writes=True),
    BeliefTrial("microsoft.written-decline-opens", written_decline_opens, writes=True),
    BeliefTrial("microsoft.answer-moment", answer_moment, writes=True),
    BeliefTrial("microsoft.series-at-once", series_at_once, writes=True),
    BeliefTrial("microsoft.move-asks-again", move_asks_again, writes=True),
)
