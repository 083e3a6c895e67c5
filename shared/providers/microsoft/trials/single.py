"""Beliefs about single events in Outlook, tried on events of the probe's own that nobody is invited to."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.providers.microsoft.booking import utc
from shared.providers.microsoft.trials import events
from shared.providers.trials.service import Json
from shared.providers.trials.trial import BeliefTrial, TrialContext, created

_TOKYO = "Tokyo Standard Time"


def removed_event(context: TrialContext) -> str:
    """Delete an event after a round, and look for its removal."""
    event = events.create(context)
    _, link = events.delta(context)
    events.delete(context, event["id"])
    return "" if _removal(context, link, event["id"]) else "the deleted event did not come as removed"


def outside_window(context: TrialContext) -> str:
    """Make an event beyond the window of a round, and look for it as removed."""
    _, link = events.delta(context)
    at_ms = context.start_ms(days=30)
    event = events.create(context, start=utc(at_ms), end=utc(at_ms + HOUR_MS))
    return "" if _removal(context, link, event["id"]) else "an event outside the window is not named"


def change_key(context: TrialContext) -> str:
    """Change the title."""
    event = events.create(context)
    after = events.change(context, event["id"], subject=f"{event['subject']} (changed)")
    return "" if after.get("changeKey") != event.get("changeKey") else "changeKey is the same after a change"


def gone_is_404(context: TrialContext) -> str:
    """Read an event that was deleted."""
    event = events.create(context)
    events.delete(context, event["id"])
    answer = context.service.ask("GET", events.path_of(event["id"]))
    return "" if answer.status == HTTPStatus.NOT_FOUND else f"the answer is {answer.refusal}"


def transaction_id(context: TrialContext) -> str:
    """Send one create twice."""
    name = f"probe-{context.run}"
    first = events.create(context, transactionId=name)
    second = events.insert(context, transactionId=name)
    if second.status == HTTPStatus.CONFLICT:
        return ""
    same = created(second)["id"] == first["id"]
    return "" if same else "the second create made a second event"


def transaction_id_shown(context: TrialContext) -> str:
    """Make an event with one, and look for it in a delta round and in the calendar view."""
    name = f"probe-shown-{context.run}"
    event = events.create(context, transactionId=name)
    listed = {"delta": events.delta(context)[0], "the calendar view": events.view(context)}
    missing = [where for where, entries in listed.items() if _transaction_of(entries, event["id"]) != name]
    return f"it is not shown in {' and '.join(missing)}" if missing else ""


def all_day_midnight(context: TrialContext) -> str:
    """Make an all-day event in Tokyo and read it with UTC preferred."""
    day_ms = context.start_ms() // DAY_MS * DAY_MS
    first, after = (f"{to_rfc3339(at_ms)[:10]}T00:00:00" for at_ms in (day_ms, day_ms + DAY_MS))
    made = events.create(
        context,
        isAllDay=True,
        start={"dateTime": first, "timeZone": _TOKYO},
        end={"dateTime": after, "timeZone": _TOKYO},
    )
    begins = str(events.read(context, made["id"])["start"]["dateTime"])
    return "" if begins.startswith(first) else f"it begins at {begins[:19]} instead of {first}"


def _transaction_of(entries: Iterable[Json], event_id: str) -> str:
    """The `transactionId` that a list shows of an event."""
    return next((str(entry.get("transactionId") or "") for entry in entries if entry.get("id") == event_id), "")


def _removal(context: TrialContext, link: str, event_id: str) -> bool:
    """Whether a coming round names the event as removed."""
    links = [link]

    def look() -> bool:
        entries, after = events.delta(context, links[-1])
        links.append(after)
        return any(entry.get("id") == event_id and "@removed" in entry for entry in entries)

    return bool(context.eventually(look))


TRIALS = (
    BeliefTrial("microsoft.removed-event", removed_event, writes=True),
    BeliefTrial("microsoft.outside-window", outside_window, writes=True),
    BeliefTrial("microsoft.change-key", change_key, writes=True),
    BeliefTrial("microsoft.gone-is-404", gone_is_404, writes=True),
    BeliefTrial("microsoft.transaction-id", transaction_id, writes=True),
    BeliefTrial("microsoft.transaction-id-shown", transaction_id_shown, writes=True),
    BeliefTrial("microsoft.all-day-midnight", all_day_midnight, writes=True),
)
