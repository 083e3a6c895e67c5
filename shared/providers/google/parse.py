"""
Google's answers → what one look saw, in our words. Pure.

Sources: Calendar v3 discovery document and the sync guide (read 2026-11-20); thin tombstones as reported by systems in
production.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from shared.decoders import convert
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.days import date_name, instant_of_day
from shared.domain.instants import from_datetime, from_rfc3339, to_rfc3339
from shared.domain.sighting import (
    Availability,
    EventKind,
    LiveAttendee,
    LiveMeeting,
    Seen,
    SeenEvent,
    SeenRemoval,
    Subscription,
    Window,
)
from shared.errors import MalformedRecordError
from shared.providers.google import wire
from shared.providers.google.reminders import is_reminder
from shared.providers.readable import readable_link

T = TypeVar("T")

MAX_PROPAGATED_GUESTS = 200  # above it, answers do not reach the guests' copies
_ANSWERS = {
    None: Answer.NONE,
    "": Answer.NONE,
    "needsaction": Answer.NONE,
    "tentative": Answer.TENTATIVE,
    "accepted": Answer.ACCEPTED,
    "declined": Answer.DECLINED,
}


@dataclass(frozen=True, slots=True)
class GooglePage:
    """One page of `events.list`, in our words."""

    seen: tuple[Seen, ...]
    next_page: str
    sync_token: str


def parse_page(answer: Any, window: Window, known: Collection[str] = ()) -> GooglePage:
    """
    Read one page; what lies outside `window` is a removal, since increments are not windowed. Reminders are left out.

    Args:
        answer: The decoded page.
        window: The stretch of time that is looked at.
        known: Events that are known from earlier looks: one that now begins after the window is reported where it is.

    Raises:
        MalformedRecordError: one item that cannot be read spoils the page, since skipping it would say "gone".
    """
    page = convert_answer(answer, wire.EventPage)
    events = [convert_answer(item, wire.GoogleEvent) for item in page.items]
    zone = page.time_zone or ""
    seen = tuple(_within(_read(event, zone), window, known) for event in events if not is_reminder(event))
    return GooglePage(seen, page.next_page_token or "", page.next_sync_token or "")


def parse_item(item: Any, calendar_zone: str = "") -> Seen:
    """
    Read one item of a list.

    Args:
        item: Decoded.
        calendar_zone: The IANA zone of the calendar, in which a day is a day unless the event names its own.

    Raises:
        MalformedRecordError: it cannot be read.
    """
    return _read(convert_answer(item, wire.GoogleEvent), calendar_zone)


def _read(event: wire.GoogleEvent, calendar_zone: str) -> Seen:
    if not event.id:
        message = "an event without an id"
        raise MalformedRecordError(message)
    if event.status == "cancelled" and (event.start is None or event.end is None):
        return SeenRemoval(event.id)
    return _seen_event(event, calendar_zone)


def parse_live(answer: Any) -> LiveMeeting:
    """Read one event for a page or before a write. Raises MalformedRecordError."""
    return _live(convert_answer(answer, wire.GoogleLiveEvent))


def parse_listed(item: Any) -> LiveMeeting | None:
    """Read one item of a list for a page; None for a reminder. Raises MalformedRecordError."""
    event = convert_answer(item, wire.GoogleLiveEvent)
    return None if is_reminder(event) else _live(event)


def _live(event: wire.GoogleLiveEvent) -> LiveMeeting:
    cancelled = event.status == "cancelled"
    # A cancelled date of a series has its id and original start alone (events resource, `status`).
    bare = cancelled and (event.start is None or event.end is None)
    start_ms, end_ms = (0, 0) if bare else span_of(event)
    return LiveMeeting(
        event_id=event.id,
        title=event.summary or "",
        start_ms=start_ms,
        end_ms=end_ms,
        version=event.etag or "",
        cancelled=cancelled,
        is_organizer=is_organizer(event),
        attendees=tuple(live_attendee(attendee) for attendee in event.attendees or ()),
        organizer=(event.organizer.display_name or event.organizer.email or "") if event.organizer else "",
        link=readable_link(event.html_link),
    )


def parse_channel(answer: Any, asked_until_ms: int) -> Subscription:
    """Read a channel as confirmed; one without an expiry lives as long as was asked. Raises MalformedRecordError."""
    channel = convert_answer(answer, wire.GoogleChannel)
    try:
        expires_at_ms = asked_until_ms if channel.expiration is None else int(channel.expiration)
    except (ValueError, OverflowError) as error:
        message = f"channel expiration {str(channel.expiration)[:40]!r} is not a number of milliseconds"
        raise MalformedRecordError(message) from error
    return Subscription(channel.id, channel.resource_id or "", expires_at_ms)


def parse_availability(answer: Any, start_ms: int, end_ms: int) -> dict[str, Availability]:
    """Lower-cased address → free, busy or unknown. Errors come first: with one, an empty `busy` means nothing."""
    found = {}
    for address, calendar in convert_answer(answer, wire.FreeBusy).calendars.items():
        if calendar.errors:
            availability = Availability.UNKNOWN
        elif any(_overlaps(busy, start_ms, end_ms) for busy in calendar.busy):
            availability = Availability.BUSY
        else:
            availability = Availability.FREE
        found[address.lower()] = availability
    return found


def parse_busy_times(answer: Any) -> dict[str, tuple[Window, ...] | None]:
    """Lower-cased address → when it is busy; None with an error, whatever else is said. Raises MalformedRecordError."""
    return {
        address.lower(): None if calendar.errors else tuple(_window_of(busy) for busy in calendar.busy)
        for address, calendar in convert_answer(answer, wire.FreeBusy).calendars.items()
    }


def answer_of(word: str | None) -> Answer | None:
    """Our word for Google's; None for one we do not know, since guessing could invent a decline or hide one."""
    return _ANSWERS.get(None if word is None else word.lower())


def latest(seen: list[Seen]) -> tuple[Seen, ...]:
    """One entry per id: an event that changes while we page comes twice, and the last one holds."""
    last = {item.event_id: item for item in seen}
    return tuple(last.values())


def convert_answer(answer: Any, kind: type[T]) -> T:
    """The client's decoded JSON as `kind`. Raises MalformedRecordError."""
    try:
        return convert(answer, kind)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        message = f"not a {kind.__name__}: {error}"
        raise MalformedRecordError(message) from error


def _seen_event(event: wire.GoogleEvent, calendar_zone: str) -> SeenEvent:
    start_ms, end_ms = span_of(event)
    begins_ms, ends_ms = days_of(event, calendar_zone)
    slot = slot_of(event)
    attendees, credible = _attendees(event)
    return SeenEvent(
        event_id=event.id,
        uid=event.i_cal_uid or "",
        kind=_kind(event, start_ms, slot),
        master_id=event.recurring_event_id or "",
        slot=slot,
        start_ms=start_ms,
        end_ms=end_ms,
        cancelled=event.status == "cancelled",
        is_organizer=is_organizer(event),
        organizer=((event.organizer.email if event.organizer else None) or "").lower(),
        shows_guests=credible,
        attendees=attendees,
        version=event.etag or "",
        all_day=is_all_day(event),
        begins_ms=begins_ms,
        ends_ms=ends_ms,
        sequence=event.sequence or 0,
        # developers.google.com/workspace/calendar/api/v3/reference/events: guests change an event where `guestsCanModify` is set.
        can_change=is_organizer(event) or bool(event.guests_can_modify),
    )


def _kind(event: wire.GoogleEvent, start_ms: int, slot: str) -> EventKind:
    if event.recurring_event_id:
        return EventKind.OCCURRENCE if slot == _rfc3339(start_ms) else EventKind.EXCEPTION
    return EventKind.MASTER if event.recurrence else EventKind.SINGLE


def _attendees(event: wire.GoogleEvent) -> tuple[tuple[SeenAttendee, ...] | None, bool]:
    """The attendees, and whether this copy can be believed; (None, False) is cut short, hidden or unreadable."""
    listed = event.attendees
    if event.attendees_omitted or (listed is None and not is_organizer(event)):
        return None, False
    answers = [answer_of(attendee.response_status) for attendee in listed or ()]
    if None in answers:
        return None, False
    seen = tuple(
        SeenAttendee((attendee.email or "").lower(), _attendee_kind(attendee), answer, is_self=attendee.self_ is True)
        for attendee, answer in zip(listed or (), answers, strict=True)
        if answer is not None
    )
    return seen, is_organizer(event) or _guests_see_answers(event, len(seen))


def _guests_see_answers(event: wire.GoogleEvent, guests: int) -> bool:
    return event.guests_can_see_other_guests is not False and not event.private_copy and guests <= MAX_PROPAGATED_GUESTS


def is_organizer(event: wire.GoogleEvent) -> bool:
    """Whether the event is the viewing person's own."""
    return bool(event.organizer and event.organizer.self_)


def _attendee_kind(attendee: wire.GoogleAttendee) -> AttendeeKind:
    return AttendeeKind.ROOM if attendee.resource else AttendeeKind.PERSON


def live_attendee(attendee: wire.GoogleAttendee) -> LiveAttendee:
    """An attendee with name and address, for a page."""
    answer = answer_of(attendee.response_status)
    return LiveAttendee(
        name=attendee.display_name or "",
        address=(attendee.email or "").lower(),
        is_room=bool(attendee.resource),
        answer="unknown" if answer is None else answer.value,
    )


def _within(seen: Seen, window: Window, known: Collection[str]) -> Seen:
    if isinstance(seen, SeenRemoval):
        return seen
    if seen.event_id in known and seen.start_ms >= window.end_ms and not seen.cancelled:
        return seen
    last_ms = max(seen.end_ms, seen.start_ms + 1)
    return seen if seen.start_ms < window.end_ms and last_ms > window.start_ms else SeenRemoval(seen.event_id)


def _overlaps(busy: wire.GoogleBusy, start_ms: int, end_ms: int) -> bool:
    found = _window_of(busy)
    return found.start_ms < end_ms and found.end_ms > start_ms


def _window_of(busy: wire.GoogleBusy) -> Window:
    try:
        return Window(from_rfc3339(busy.start), from_rfc3339(busy.end))
    except (ValueError, OverflowError) as error:
        message = f"busy from {busy.start[:40]!r} to {busy.end[:40]!r} cannot be read"
        raise MalformedRecordError(message) from error


def span_of(event: wire.GoogleEvent) -> tuple[int, int]:
    """Read start and end in milliseconds; of an all-day event midnights UTC of its days. Raises MalformedRecordError."""
    if event.start is None or event.end is None:
        message = f"event {event.id[:80]!r} has no start or no end"
        raise MalformedRecordError(message)
    return _instant(event.start), _instant(event.end)


def is_all_day(event: wire.GoogleEvent) -> bool:
    """Whether the event is of whole days: it then has dates and no times."""
    return bool(event.start and event.start.date and not event.start.date_time)


def days_of(event: wire.GoogleEvent, calendar_zone: str) -> tuple[int, int]:
    """
    Find the instants at which an all-day event begins and ends where it is held; (0, 0) for others or without a zone.

    The event's own `timeZone` counts, else its calendar's (the list's `timeZone`).
    """
    if not is_all_day(event):
        return 0, 0
    name = (event.start.time_zone if event.start else None) or calendar_zone
    start_ms, end_ms = span_of(event)
    try:
        zone = ZoneInfo(name) if name else None
        return (0, 0) if zone is None else (instant_of_day(start_ms, zone), instant_of_day(end_ms, zone))
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError):
        return 0, 0


def slot_of(event: wire.GoogleEvent) -> str:
    """
    Name a date of a series by its original start, which does not move and is absent only where nothing has.

    An all-day series keeps days there, also for a date that has become one with times.
    """
    original = event.original_start_time or event.start
    if not event.recurring_event_id or original is None:
        return ""
    try:
        return date_name(_instant(original), all_day=bool(original.date and not original.date_time))
    except (ValueError, OverflowError, OSError) as error:
        message = f"the original start of date {event.id[:80]!r} is outside the calendar"
        raise MalformedRecordError(message) from error


def _instant(when: wire.When) -> int:
    """Milliseconds since the epoch; a date is midnight UTC; a time without an offset is meant in its own zone."""
    text = when.date_time or when.date or ""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            zone = ZoneInfo(when.time_zone) if when.date_time and when.time_zone else UTC
            moment = moment.replace(tzinfo=zone)
        return from_datetime(moment)
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError) as error:
        message = f"time {text[:40]!r} in zone {str(when.time_zone)[:40]!r} cannot be read"
        raise MalformedRecordError(message) from error


def _rfc3339(at_ms: int) -> str:
    try:
        return to_rfc3339(at_ms)
    except (ValueError, OverflowError, OSError) as error:
        message = f"instant {at_ms} is outside the calendar"
        raise MalformedRecordError(message) from error
