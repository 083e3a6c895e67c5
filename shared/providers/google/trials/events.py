"""Events of the probe's own in Google Calendar: made, read, looked for in increments, and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.providers.trials import trial
from shared.providers.trials.service import CannotTryError, Json, ServiceAnswer
from shared.providers.trials.trial import TITLE, TrialContext

_MOST_PAGES = 50
_EVENTS = "/calendars/primary/events"
_BOUND: dict[str, str | int] = {"singleEvents": "true", "showDeleted": "true", "eventTypes": "default"}
_TELL: dict[str, str | int] = {"sendUpdates": "all"}


def at(instant_ms: int) -> dict[str, str]:
    """An instant as Google writes it."""
    return {"dateTime": to_rfc3339(instant_ms), "timeZone": "UTC"}


def create(context: TrialContext, **more: Any) -> Json:
    """Make an event that nobody is invited to; `more` replaces or adds properties. It is deleted after the trial."""
    return trial.created(insert(context, **more))


def insert(context: TrialContext, **more: Any) -> ServiceAnswer:
    """Ask for an event, which is deleted after the trial if it is made."""
    at_ms = context.start_ms()
    body = {
        "summary": TITLE,
        "start": at(at_ms),
        "end": at(at_ms + HOUR_MS),
        "transparency": "transparent",
        "reminders": {"useDefault": False},
        **more,
    }
    return trial.make_event(
        context,
        lambda: context.service.ask("POST", _EVENTS, query=_TELL, body=body),
        lambda event_id: context.service.ask("DELETE", f"{_EVENTS}/{event_id}", query=_TELL),
    )


def create_series(context: TrialContext) -> Json:
    """Make a series of three days in a row."""
    return create(context, recurrence=["RRULE:FREQ=DAILY;COUNT=3"])


def dates_of(context: TrialContext, series: Json) -> list[Json]:
    """The dates of a series of the probe's, in order."""
    found = context.service.demand("listing the dates of a series", "GET", f"{_EVENTS}/{series['id']}/instances")
    return trial.three_dates(found.get("items") or ())


def read(context: TrialContext, event_id: str) -> Json:
    """One event as it is now."""
    return context.service.demand("reading an event", "GET", f"{_EVENTS}/{event_id}")


def change(context: TrialContext, event_id: str, **more: Any) -> Json:
    """Change an event; returns it as Google then shows it."""
    return context.service.demand("changing an event", "PATCH", f"{_EVENTS}/{event_id}", query=_TELL, body=more)


def delete(context: TrialContext, event_id: str) -> None:
    """Delete an event, or one date of a series."""
    context.service.demand("deleting an event", "DELETE", f"{_EVENTS}/{event_id}", query=_TELL)


def pages(context: TrialContext, *, token: str = "", size: int = 250) -> Iterator[Json]:
    """A list of the week around the probe's events, page by page; with a sync token what has changed since."""
    first: dict[str, str | int] = {"syncToken": token}
    if not token:
        first = {"timeMin": to_rfc3339(context.start_ms() - DAY_MS), "timeMax": to_rfc3339(context.start_ms(days=6))}
    following: dict[str, str | int] = {}
    for _ in range(_MOST_PAGES):
        query = {**_BOUND, "maxResults": size, **first, **following}
        page = context.service.demand("listing events", "GET", _EVENTS, query=query)
        yield page
        if not page.get("nextPageToken"):
            return
        following = {"pageToken": str(page["nextPageToken"])}


def changes(context: TrialContext, token: str = "") -> tuple[list[Json], str]:
    """A whole list: its items, and the next sync token. Raises CannotTryError: it ends without one."""
    found = list(pages(context, token=token))
    after = str(found[-1].get("nextSyncToken") or "")
    if not after:
        message = "a list of events ends without a sync token"
        raise CannotTryError(message)
    return [item for page in found for item in page.get("items") or ()], after


def is_named_cancelled(context: TrialContext, token: str, event_id: str) -> bool:
    """Whether a coming increment names the event as cancelled."""
    tokens = [token]

    def look() -> bool:
        items, after = changes(context, tokens[-1])
        tokens.append(after)
        return any(item.get("id") == event_id and item.get("status") == "cancelled" for item in items)

    return bool(context.eventually(look))
