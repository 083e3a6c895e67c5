"""The rungs of the ladder: at which moment each is due, until when it is of use, and which hours are quiet. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contracts.notification import DeliveryState, PromptLadder, RungDelivery
from shared.contracts.rows import NotificationRow
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, from_datetime

FIRST_AFTER_MS = MINUTE_MS
FIRST_OF_USE_MS = DAY_MS
"""A notifier that was away for longer begins no ladder: the later rungs still come."""
BEFORE_MS = {"day-before": DAY_MS, "hours-before": 2 * HOUR_MS}
APART_MS = HOUR_MS
"""A reminder that would come sooner after the first message is left out."""
MAIL = "mail"
CHAT = "chat"
CALENDAR = "calendar"
BROWSER = "browser"
"""The channels: a person's mail, a chat channel of an organisation, a person's own calendar, and one of a person's browsers."""


class Rung(StrEnum):
    """A step of the ladder, in the order in which they come."""

    FIRST = "first"
    DAY_BEFORE = "day-before"
    HOURS_BEFORE = "hours-before"


def delivery_of(ladder: PromptLadder, rung: Rung, channel: str = MAIL) -> RungDelivery | None:
    """How far a rung has come; None: it is to come."""
    return ladder.deliveries.get(f"{channel}/{rung}")


def due_at(ladder: PromptLadder, rung: Rung) -> int:
    """The moment of a rung, epoch milliseconds."""
    if rung is Rung.FIRST:
        return ladder.opened_at_ms + FIRST_AFTER_MS
    return ladder.starts_ms - BEFORE_MS[rung]


def of_use_until(ladder: PromptLadder, rung: Rung, row: NotificationRow, channel: str = MAIL) -> int:
    """From then on a rung is not told any more: a later one is due, the meeting has begun, or the decline has become old."""
    later = [
        due_at(ladder, each) for each in _after(rung) if is_applicable(ladder, each) and is_wanted(row, each, channel)
    ]
    old = [ladder.opened_at_ms + FIRST_OF_USE_MS] if rung is Rung.FIRST else []
    return min([ladder.starts_ms, *later, *old])


def is_applicable(ladder: PromptLadder, rung: Rung) -> bool:
    """Whether the ladder has this rung: a reminder has to come a good while after the first message."""
    return rung is Rung.FIRST or due_at(ladder, rung) >= due_at(ladder, Rung.FIRST) + APART_MS


def to_come(ladder: PromptLadder, channel: str = MAIL) -> Iterator[tuple[Rung, int]]:
    """The rungs of a channel that are not settled, each with the moment at which something has to be done about it."""
    for rung in Rung:
        delivery = delivery_of(ladder, rung, channel)
        if delivery is None:
            if is_applicable(ladder, rung):
                yield rung, due_at(ladder, rung)
        elif delivery.state is DeliveryState.INTENT:
            yield rung, delivery.retry_at_ms


def is_wanted(row: NotificationRow, rung: Rung, channel: str = MAIL) -> bool:
    """Whether the person, or the chat channel, is to be told at this rung by this channel."""
    wanted = {Rung.FIRST: row.first, Rung.DAY_BEFORE: row.day_before, Rung.HOURS_BEFORE: row.hours_before}
    return is_on(row, channel) and wanted[rung]


def is_on(row: NotificationRow, channel: str) -> bool:
    """Whether a channel is to be used at all."""
    return not row.refused_at_ms and {MAIL: row.mail, CALENDAR: row.calendar, BROWSER: row.browser}.get(channel, True)


def quiet_until(row: NotificationRow, now_ms: int) -> int:
    """When the person may be disturbed: now, or the end of the quiet hours that now lies in."""
    zone = zone_of(row)
    begin, end = _clock(row.quiet_from), _clock(row.quiet_until)
    if not row.quiet or zone is None or begin is None or end is None or begin == end:
        return now_ms
    moment = datetime.fromtimestamp(now_ms / SECOND_MS, tz=zone)
    clock = moment.time()
    if not (begin <= clock < end if begin < end else clock >= begin or clock < end):
        return now_ms
    day = moment.date() + timedelta(days=1 if clock >= end else 0)
    return max(now_ms, from_datetime(datetime.combine(day, end, tzinfo=zone)))


def zone_of(row: NotificationRow) -> ZoneInfo | None:
    """The person's zone; None while it is not known."""
    try:
        return ZoneInfo(row.zone) if row.zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _after(rung: Rung) -> list[Rung]:
    order = list(Rung)
    return order[order.index(rung) + 1 :]


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None
