"""Beliefs about series in Outlook, tried on a series of three dates of the probe's own."""

from __future__ import annotations

from shared.domain.instants import HOUR_MS, from_rfc3339, to_rfc3339
from shared.providers.microsoft.trials import events
from shared.providers.trials.service import CannotTryError, Json
from shared.providers.trials.trial import BeliefTrial, TrialContext

_WITH_ITS_MASTER = ("attendees", "subject", "iCalUId")
_TOKYO = "Tokyo Standard Time"
_TOKYO_AHEAD_MS = 9 * HOUR_MS


def series_master_id(context: TrialContext) -> str:
    """Compare the dates' `seriesMasterId` with the id of the series."""
    series = events.create_series(context)
    named = {str(date.get("seriesMasterId")) for date in events.dates_of(context, series)}
    return "" if named == {series["id"]} else "the dates name their series by another id"


def uid_of_a_date(context: TrialContext) -> str:
    """Compare the dates' `iCalUId` with that of the series."""
    series = events.create_series(context)
    dates = {str(date.get("iCalUId")) for date in events.dates_of(context, series)}
    return "" if series.get("iCalUId") not in dates else "a date has the iCalUId of its series"


def original_start(context: TrialContext) -> str:
    """Make a series in Tokyo and read the dates' `originalStart`."""
    at_ms = context.start_ms()
    series = events.create_series(context, start=_in_tokyo(at_ms), end=_in_tokyo(at_ms + HOUR_MS))
    original = str(events.dates_of(context, series)[0].get("originalStart"))
    if "T" not in original:
        return f"a date has the originalStart {original}"
    return "" if from_rfc3339(original) == at_ms else f"{original} is not {to_rfc3339(at_ms)}"


def occurrences_sparse(context: TrialContext) -> str:
    """Look at the dates in a first round; they are known by their time, which nothing else begins at."""
    events.create_series(context)
    begins = to_rfc3339(context.start_ms(days=1))[:19]

    def look() -> list[Json]:
        entries, _ = events.delta(context)
        return [entry for entry in entries if str((entry.get("start") or {}).get("dateTime")).startswith(begins)]

    found = context.eventually(look)
    if not found:
        message = "the series does not show in delta"
        raise CannotTryError(message)
    more = sorted({name for date in found for name in _WITH_ITS_MASTER if date.get(name)})
    return f"dates come with {', '.join(more)}" if more else ""


def cancelled_date_unnamed(context: TrialContext) -> str:
    """Cancel one date and look how the next round that names the series tells it."""
    series = events.create_series(context)
    date = events.dates_of(context, series)[1]["id"]
    _, link = events.delta(context)
    events.delete(context, date)
    links = [link]

    def look() -> list[Json]:
        entries, after = events.delta(context, links[-1])
        links.append(after)
        return entries if any(entry.get("id") == series["id"] for entry in entries) else []

    found = context.eventually(look)
    if not found:
        return "the series is not named after one of its dates was cancelled"
    removed = [entry for entry in found if entry.get("id") == date and "@removed" in entry]
    return "the cancelled date is named as removed" if removed else ""


def _in_tokyo(at_ms: int) -> dict[str, str]:
    return {"dateTime": to_rfc3339(at_ms + _TOKYO_AHEAD_MS).removesuffix("Z"), "timeZone": _TOKYO}


TRIALS = (
    BeliefTrial("microsoft.occurrences-sparse", occurrences_sparse, writes=True),
    BeliefTrial("microsoft.cancelled-date-unnamed", cancelled_date_unnamed, writes=True),
    BeliefTrial("microsoft.series-master-id", series_master_id, writes=True),
    BeliefTrial("microsoft.uid-of-a-date", uid_of_a_date, writes=True),
    BeliefTrial("microsoft.original-start", original_start, writes=True),
)
