"""Beliefs about series in Google Calendar, tried on a series of three dates of the probe's own."""

from __future__ import annotations

from shared.domain.instants import to_rfc3339
from shared.providers.google.trials import events
from shared.providers.trials.trial import BeliefTrial, TrialContext


def cancelled_date_named(context: TrialContext) -> str:
    """Cancel one date and look for it in an increment."""
    series = events.create_series(context)
    date = events.dates_of(context, series)[1]["id"]
    _, token = events.changes(context)
    events.delete(context, date)
    return "" if events.is_named_cancelled(context, token, date) else "the cancelled date is not named"


def instance_id(context: TrialContext) -> str:
    """Compare the ids of the dates with the series' and with their starts."""
    series = events.create_series(context)
    for number, date in enumerate(events.dates_of(context, series)):
        start = to_rfc3339(context.start_ms(days=number))[:19].replace("-", "").replace(":", "")
        if date["id"] != f"{series['id']}_{start}Z":
            return f"a date has an id of the form {str(date['id']).removeprefix(str(series['id']))}"
    return ""


def uid_of_a_series(context: TrialContext) -> str:
    """Compare the `iCalUID` of the dates with that of the series."""
    series = events.create_series(context)
    named = {str(date.get("iCalUID")) for date in events.dates_of(context, series)}
    return "" if named == {series.get("iCalUID")} else "dates have another iCalUID than their series"


TRIALS = (
    BeliefTrial("google.cancelled-date-named", cancelled_date_named, writes=True),
    BeliefTrial("google.instance-id", instance_id, writes=True),
    BeliefTrial("google.uid-of-a-series", uid_of_a_series, writes=True),
)
