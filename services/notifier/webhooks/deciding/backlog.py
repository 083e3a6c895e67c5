"""What waits for an endpoint: how events join, which is sent next, and what an attempt changes. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from shared.contracts.webhook_records import EndpointBacklog, EventPlace, EventRange, WaitingDelivery
from shared.contracts.webhook_rows import FAILING_FOR_MS
from shared.domain.instants import HOUR_MS, SECOND_MS

MOST_WAITING = 100
"""What comes while so many wait is left on its topic, and read from there later."""
MOST_NAMED = 300
"""With those that somebody has named, which may stand beyond the first bound."""
MOST_TRIED = 10
"""While so many have been tried in vain, no other event is begun: the endpoint is asked with these alone."""
FIRST_RETRY_MS = 5 * SECOND_MS
LAST_RETRY_MS = HOUR_MS
_GROWTH = 3
_MOST_STEPS = 10
_SPREAD = 0.5


def retry_after_ms(event: str, attempts: int) -> int:
    """How long after so many attempts the next one follows: from 5 s threefold up to an hour, spread by a quarter each way."""
    pause_ms = min(FIRST_RETRY_MS * _GROWTH ** min(attempts - 1, _MOST_STEPS), LAST_RETRY_MS)
    drawn = zlib.crc32(f"{event}/{attempts}".encode()) / 2**32
    return int(pause_ms * (1 - _SPREAD / 2 + _SPREAD * drawn))


def add_event(backlog: EndpointBacklog, place: EventPlace, now_ms: int, seen_at_ms: int = 0) -> EndpointBacklog:
    """
    The event was read: it waits, or, where too many do, its topic is read again from there.

    Args:
        seen_at_ms: When the answer that a decline tells of was seen at the provider; 0: it is none.
    """
    if place.topic in backlog.unread:
        return backlog
    if len(backlog.waiting) >= MOST_WAITING:
        return replace(backlog, unread={**backlog.unread, place.topic: place.offset})
    return _join(backlog, place, now_ms, seen_at_ms)


def add_named(backlog: EndpointBacklog, places: Iterable[EventPlace], now_ms: int) -> EndpointBacklog:
    """Somebody wants these sent; those that wait already are due at once, and more than fit in are left out."""
    for place in places:
        if any(each.place == place for each in backlog.waiting):
            backlog = make_due(backlog, now_ms, only=(place.event,))
        elif len(backlog.waiting) < MOST_NAMED:
            backlog = _join(backlog, place, now_ms)
    return backlog


def add_range(backlog: EndpointBacklog, topic: str, first: int, end: int) -> EndpointBacklog:
    """Somebody wants everything of this range sent once more."""
    if first >= end:
        return backlog
    known = backlog.again.get(topic, EventRange(first=first, end=end))
    wider = EventRange(first=min(first, known.first), end=max(end, known.end))
    return replace(backlog, again={**backlog.again, topic: wider})


def wants_more(backlog: EndpointBacklog) -> bool:
    """Whether events that were left on their topics are to be read now."""
    return bool(backlog.unread or backlog.again) and len(backlog.waiting) <= MOST_WAITING // 2


def add_unread(
    backlog: EndpointBacklog, topic: str, places: Iterable[EventPlace], read_to: int, end: int, now_ms: int
) -> EndpointBacklog:
    """
    Events that had been left on their topic were read.

    Args:
        places: Those that are this endpoint's, in order.
        read_to: The offset after the last record that was looked at.
        end: Where what was left ends: whatever comes then was, or will be, added as it is read.
    """
    for place in places:
        if len(backlog.waiting) >= MOST_WAITING:
            return replace(backlog, unread={**backlog.unread, topic: place.offset})
        backlog = _join(backlog, place, now_ms)
    unread = {name: offset for name, offset in backlog.unread.items() if name != topic}
    return replace(backlog, unread=unread if read_to >= end else {**unread, topic: read_to})


def add_again(
    backlog: EndpointBacklog, topic: str, places: Iterable[EventPlace], read_to: int, now_ms: int
) -> EndpointBacklog:
    """Events that are to be sent once more were read; otherwise as `add_unread`."""
    end = backlog.again[topic].end
    for place in places:
        if len(backlog.waiting) >= MOST_WAITING:
            return replace(backlog, again={**backlog.again, topic: EventRange(first=place.offset, end=end)})
        if place.offset < end and all(each.place != place for each in backlog.waiting):
            backlog = _join(backlog, place, now_ms)
    again = {name: known for name, known in backlog.again.items() if name != topic}
    return replace(backlog, again=again if read_to >= end else {**again, topic: EventRange(first=read_to, end=end)})


def next_delivery(backlog: EndpointBacklog, now_ms: int) -> WaitingDelivery | None:
    """What is sent now: the first that is due."""
    return next((each for each in _eligible(backlog) if each.retry_at_ms <= now_ms), None)


def next_at_ms(backlog: EndpointBacklog) -> int | None:
    """When the endpoint is to be looked at again; None: when something comes."""
    return min(
        (each.retry_at_ms for each in _eligible(backlog)), default=0 if backlog.unread or backlog.again else None
    )


def after_success(backlog: EndpointBacklog, number: int) -> EndpointBacklog:
    """The delivery was taken, or is given up."""
    return replace(backlog, waiting=tuple(each for each in backlog.waiting if each.number != number))


def after_failure(
    backlog: EndpointBacklog, number: int, now_ms: int, *, retry_in_ms: int = 0, keep: bool = False
) -> tuple[EndpointBacklog, WaitingDelivery | None]:
    """
    The delivery was not taken.

    Args:
        retry_in_ms: How long the endpoint asks us to wait; never more than an hour is waited.
        keep: Whether it goes on waiting after three days as well: the endpoint is paused.

    Returns:
        The backlog, and the delivery as it waits now; None when it is given up.
    """
    tried = next((each for each in backlog.waiting if each.number == number), None)
    if tried is None or (now_ms - tried.begun_at_ms >= FAILING_FOR_MS and not keep):
        return after_success(backlog, number), None
    pause_ms = max(retry_after_ms(tried.place.event, tried.attempts + 1), min(retry_in_ms, LAST_RETRY_MS))
    later = replace(tried, attempts=tried.attempts + 1, retry_at_ms=now_ms + pause_ms)
    return replace(backlog, waiting=tuple(later if each is tried else each for each in backlog.waiting)), later


def make_due(backlog: EndpointBacklog, now_ms: int, *, only: Collection[str] = ()) -> EndpointBacklog:
    """What waits is sent now: the endpoint takes again. `only`: these events alone."""
    due = tuple(
        replace(each, retry_at_ms=min(each.retry_at_ms, now_ms)) if not only or each.place.event in only else each
        for each in backlog.waiting
    )
    return replace(backlog, waiting=due)


def resume(backlog: EndpointBacklog, now_ms: int) -> EndpointBacklog:
    """Somebody has resumed the endpoint: what waits has three days again, from now."""
    fresh = tuple(replace(each, begun_at_ms=now_ms, retry_at_ms=now_ms) for each in backlog.waiting)
    return replace(backlog, waiting=fresh)


def _eligible(backlog: EndpointBacklog) -> list[WaitingDelivery]:
    tried = [each for each in backlog.waiting if each.attempts]
    return tried if len(tried) >= MOST_TRIED else list(backlog.waiting)


def _join(backlog: EndpointBacklog, place: EventPlace, now_ms: int, seen_at_ms: int = 0) -> EndpointBacklog:
    joined = WaitingDelivery(
        number=backlog.numbered, place=place, begun_at_ms=now_ms, retry_at_ms=now_ms, seen_at_ms=seen_at_ms
    )
    return replace(backlog, waiting=(*backlog.waiting, joined), numbered=backlog.numbered + 1)
