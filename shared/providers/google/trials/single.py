"""Beliefs about single events in Google Calendar, tried on events of the probe's own that nobody is invited to."""

from __future__ import annotations

from http import HTTPStatus

from shared.providers.google.booking import event_id_of
from shared.providers.google.trials import events
from shared.providers.trials.service import CannotTryError
from shared.providers.trials.trial import BeliefTrial, TrialContext


def sync_token_last_page(context: TrialContext) -> str:
    """A list in pages of one event."""
    events.create(context)
    events.create(context)
    seen = list(events.pages(context, size=1))
    if len(seen) == 1:
        message = "Google put everything on one page, though one event a page was asked for"
        raise CannotTryError(message)
    return (
        "a page that is not the last has a sync token" if any(page.get("nextSyncToken") for page in seen[:-1]) else ""
    )


def deleted_event_named(context: TrialContext) -> str:
    """Delete an event after a list, and look for it as cancelled."""
    event = events.create(context)
    _, token = events.changes(context)
    events.delete(context, event["id"])
    named = events.is_named_cancelled(context, token, event["id"])
    return "" if named else "the deleted event did not come as cancelled"


def deleted_event_readable(context: TrialContext) -> str:
    """Read an event that was deleted."""
    event = events.create(context)
    events.delete(context, event["id"])
    answer = context.service.ask("GET", f"/calendars/primary/events/{event['id']}")
    if not answer.is_success:
        return f"the answer is {answer.refusal}"
    return "" if answer.body.get("status") == "cancelled" else f"its status is {answer.body.get('status')}"


def own_event_id(context: TrialContext) -> str:
    """Insert twice under one id."""
    own = event_id_of(f"probe-{context.run}")
    events.create(context, id=own)
    second = events.insert(context, id=own)
    if second.is_success:
        return "the second insert made a second event"
    return "" if second.status == HTTPStatus.CONFLICT else f"the answer is {second.refusal}"


def private_properties(context: TrialContext) -> str:
    """Make an event with one after a list, and look for it in another list and in the increment."""
    _, token = events.changes(context)
    sent = {"private": {"roomsync": f"probe-{context.run}"}}
    event = events.create(context, extendedProperties=sent)
    listed = {"a list": events.changes(context)[0], "the increment": events.changes(context, token)[0]}
    found = {
        where: next((each for each in items if each.get("id") == event["id"]), {}) for where, items in listed.items()
    }
    missing = [where for where, item in found.items() if item.get("extendedProperties") != sent]
    return f"they are not given in {' and '.join(missing)}" if missing else ""


def if_match(context: TrialContext) -> str:
    """Change an event under the etag that it had before another change."""
    event = events.create(context)
    path = f"/calendars/primary/events/{event['id']}"
    events.change(context, event["id"], summary=f"{event['summary']} (changed)")
    stale = {"If-Match": str(event.get("etag"))}
    body = {"summary": f"{event['summary']} (overwritten)"}
    answer = context.service.ask("PATCH", path, query={"sendUpdates": "all"}, body=body, headers=stale)
    overwritten = str(events.read(context, event["id"]).get("summary")) == body["summary"]
    if answer.status != HTTPStatus.PRECONDITION_FAILED:
        return f"the answer is {answer.refusal}"
    return "it was refused, and yet changed" if overwritten else ""


TRIALS = (
    BeliefTrial("google.sync-token-last-page", sync_token_last_page, writes=True),
    BeliefTrial("google.deleted-event-named", deleted_event_named, writes=True),
    BeliefTrial("google.deleted-event-readable", deleted_event_readable, writes=True),
    BeliefTrial("google.own-event-id", own_event_id, writes=True),
    BeliefTrial("google.private-properties", private_properties, writes=True),
    BeliefTrial("google.if-match", if_match, writes=True),
)
