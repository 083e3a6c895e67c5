"""
A delta round made whole: each series that it touches is replaced by the dates that Graph lists for it. Pure.

Graph's delta does not report a date that was cancelled, gives a moved series new ids without removing the old ones, and repeats
items of earlier rounds (microsoftgraph/microsoft-graph-docs, pull request 4501: "No indication is given for a deleted
occurrence"). Only a full round and `GET /me/events/{master}/instances` (learn.microsoft.com, *List instances*: the occurrences
and exceptions in a range) say which dates a series has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.domain.sighting import EventKind, KnownEvent, Seen, SeenEvent, SeenRemoval, Window

_OF_SERIES = {EventKind.OCCURRENCE, EventKind.EXCEPTION}


def touched_series(seen: Collection[Seen], known: Mapping[str, KnownEvent], window: Window, *, full: bool) -> list[str]:
    """
    Find the series whose dates have to be asked for: master ids, in order.

    An increment asks for each series that it names or whose date it removes. A full round holds all dates; it asks only for a
    series with an exception whose attendees were left out, since a master cannot speak for it, and for one of its organiser's
    that is absent although it had dates in the window.
    """
    found = _absent_series(seen, known, window) if full else set[str]()
    for item in seen:
        if isinstance(item, SeenRemoval):
            found |= set() if full else _series_removed(item.event_id, known)
        elif item.kind is EventKind.MASTER:
            found |= set() if full else {item.event_id}
        elif item.kind in _OF_SERIES and (not full or (item.kind is EventKind.EXCEPTION and item.attendees is None)):
            found.add(item.master_id)
    return sorted(found)


def with_series(
    seen: Iterable[Seen], series: Mapping[str, Sequence[SeenEvent] | None], known: Mapping[str, KnownEvent]
) -> list[Seen]:
    """
    Put the dates that Graph lists in the place of what the round said of them.

    Args:
        seen: What the round said, one entry an id.
        series: Master id → its dates in the window; None: Graph knows no such series any more.
        known: Event id → what earlier looks found.
    """
    kept = [item for item in seen if _series_of(item, known) not in series]
    listed = [date for dates in series.values() for date in dates or ()]
    shown = {date.event_id for date in listed}
    ended = [SeenRemoval(master) for master, dates in series.items() if dates is None]
    masters = [item for item in kept if item.event_id not in {each.event_id for each in ended}]
    gone = [SeenRemoval(one) for one, event in known.items() if event.series in series and one not in shown]
    return [*masters, *ended, *listed, *gone]


def to_confirm(seen: Collection[Seen], known: Mapping[str, KnownEvent], window: Window, *, full: bool) -> list[str]:
    """
    Find the single events that a look says are gone and that may only have moved out of its window: event ids, in order.

    Args:
        seen: What the look says, one entry an id.
        known: Event id → what earlier looks found; only those to be confirmed are returned.
        window: What the look covers.
        full: Whether an event that is not named is gone as well.
    """
    removed = {item.event_id for item in seen if isinstance(item, SeenRemoval)}
    named = {item.event_id for item in seen}
    return [
        event_id
        for event_id, event in sorted(known.items())
        if event.confirm and not event.is_master and not event.series
        and (event_id in removed or (full and event_id not in named and _lies_in(event, window)))
    ]  # fmt: skip


def _absent_series(seen: Collection[Seen], known: Mapping[str, KnownEvent], window: Window) -> set[str]:
    named = {item.event_id for item in seen}
    dated = {event.series for event in known.values() if event.series and event.confirm and _lies_in(event, window)}
    return dated - named - {item.master_id for item in seen if isinstance(item, SeenEvent)}


def _series_removed(event_id: str, known: Mapping[str, KnownEvent]) -> set[str]:
    event = known.get(event_id)
    if event is None:
        return set()
    return {event_id} if event.is_master else {event.series} - {""}


def _series_of(item: Seen, known: Mapping[str, KnownEvent]) -> str:
    """The series that a date belongs to; "" for a master and a single meeting."""
    if isinstance(item, SeenEvent):
        return item.master_id
    event = known.get(item.event_id)
    return event.series if event else ""


def _lies_in(event: KnownEvent, window: Window) -> bool:
    return event.start_ms < window.end_ms and event.end_ms > window.start_ms
