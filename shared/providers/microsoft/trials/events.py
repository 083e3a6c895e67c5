"""Events of the probe's own in Outlook: made, read, looked for in delta rounds, and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.domain.sighting import Window
from shared.providers.microsoft.booking import utc
from shared.providers.trials import trial
from shared.providers.trials.service import CannotTryError, Json, ServiceAnswer
from shared.providers.trials.trial import TITLE, TrialContext

_MOST_PAGES = 50
_EVENTS = "/me/events"
_IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


def window(context: TrialContext) -> Window:
    """A window of a week around them, so that few events of the person's own are read."""
    return Window(context.start_ms() - DAY_MS, context.start_ms(days=6))


def create(context: TrialContext, **more: Any) -> Json:
    """Make an event that nobody is invited to; `more` replaces or adds properties. It is deleted after the trial."""
    return trial.created(insert(context, **more))


def insert(context: TrialContext, **more: Any) -> ServiceAnswer:
    """Ask for an event, which is deleted after the trial if it is made."""
    at_ms = context.start_ms()
    body = {
        "subject": TITLE,
        "start": utc(at_ms),
        "end": utc(at_ms + HOUR_MS),
        "showAs": "free",
        "isReminderOn": False,
        **more,
    }
    return trial.make_event(
        context,
        lambda: context.service.ask("POST", _EVENTS, body=body),
        lambda event_id: context.service.ask("DELETE", path_of(event_id)),
    )


def path_of(event_id: str) -> str:
    """Where an event is found."""
    return f"{_EVENTS}/{quote(event_id, safe='')}"


def create_series(context: TrialContext, **more: Any) -> Json:
    """Make a series of three days in a row."""
    first = to_rfc3339(context.start_ms())[:10]
    pattern = {"type": "daily", "interval": 1}
    span = {"type": "numbered", "startDate": first, "numberOfOccurrences": 3, "recurrenceTimeZone": "UTC"}
    return create(context, recurrence={"pattern": pattern, "range": span}, **more)


def dates_of(context: TrialContext, series: Json) -> list[Json]:
    """The dates of a series of the probe's, in order."""
    found = context.service.demand(
        "listing the dates of a series", "GET", f"{path_of(series['id'])}/instances", query=_span(window(context))
    )
    return trial.three_dates(found.get("value") or ())


def read(context: TrialContext, event_id: str) -> Json:
    """One event as it is now."""
    return context.service.demand("reading an event", "GET", path_of(event_id))


def change(context: TrialContext, event_id: str, **more: Any) -> Json:
    """Change an event; returns it as Graph then shows it."""
    return context.service.demand("changing an event", "PATCH", path_of(event_id), body=more)


def delete(context: TrialContext, event_id: str) -> None:
    """Delete an event, or one date of a series."""
    context.service.demand("deleting an event", "DELETE", path_of(event_id))


def pages(context: TrialContext, *, link: str = "", size: int = 100) -> Iterator[Json]:
    """A delta round, page by page; without `link` a first one over the probe's window."""
    headers = {"Prefer": f'IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize={size}'}
    where, query = link or "/me/calendarView/delta", None if link else _span(window(context))
    for _ in range(_MOST_PAGES):
        page = context.service.demand("a delta round", "GET", where, query=query, headers=headers)
        yield page
        where, query = str(page.get("@odata.nextLink") or ""), None
        if not where:
            return


def delta(context: TrialContext, link: str = "") -> tuple[list[Json], str]:
    """A whole delta round: its entries, and the link of the next. Raises CannotTryError: it ends without one."""
    found = list(pages(context, link=link))
    after = str(found[-1].get("@odata.deltaLink") or "")
    if not after:
        message = "a delta round ends without a delta link"
        raise CannotTryError(message)
    return [entry for page in found for entry in page.get("value") or ()], after


def view(context: TrialContext) -> list[Json]:
    """The first page of the calendar view of the probe's window, as a page of ours asks for it."""
    query = {**_span(window(context)), "$select": "id,transactionId", "$top": 1000}
    found = context.service.demand("the calendar view", "GET", "/me/calendarView", query=query, headers=_IMMUTABLE)
    return list(found.get("value") or ())


def _span(between: Window) -> dict[str, str | int]:
    return {"startDateTime": to_rfc3339(between.start_ms), "endDateTime": to_rfc3339(between.end_ms)}
