"""Which events a look says are gone although they may only have moved out of its window. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.sighting import KnownEvent, Seen, SeenRemoval, Window

MAX_CONFIRMED_DATES = 10
"""Of one series and look. A series that loses more dates at once was changed as a whole: none of them has merely moved away."""


def to_confirm(
    seen: Sequence[Seen], known: Mapping[str, KnownEvent], window: Window, *, full: bool, ended: Iterable[str] = ()
) -> list[str]:
    """
    Find the known events that a look says are gone and that may only have moved out of its window: event ids, in order.

    Args:
        seen: What the look says, one entry an id.
        known: Event id → what earlier looks found; only those to be confirmed are returned.
        window: What the look covers.
        full: Whether an event that is not named is gone as well.
        ended: Series that Graph no longer knows: their dates are gone with them.
    """
    removed = {item.event_id for item in seen if isinstance(item, SeenRemoval)}
    named = {item.event_id for item in seen}
    ended = set(ended)
    asked: dict[str, list[str]] = {}
    for event_id, event in sorted(known.items()):
        absent = event_id in removed or (full and event_id not in named and _lies_in(event, window))
        if absent and event.confirm and not event.is_master and event.series not in ended:
            asked.setdefault(event.series, []).append(event_id)
    return [one for series, ids in asked.items() if not series or len(ids) <= MAX_CONFIRMED_DATES for one in ids]


def _lies_in(event: KnownEvent, window: Window) -> bool:
    return event.start_ms < window.end_ms and event.end_ms > window.start_ms
