"""
Graph's bytes → what one look saw, in our words. Pure.

Sources: learn.microsoft.com/graph, event resource and event delta (read 2026-11-20); the sparse form of occurrences as
reported by users of calendarView/delta.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from shared.contracts.envelope import read_json
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import from_datetime, from_rfc3339, to_rfc3339
from shared.domain.sighting import Availability, EventKind, LiveAttendee, LiveMeeting, Seen, SeenEvent, SeenRemoval
from shared.errors import MalformedRecordError
from shared.providers.microsoft import wire

T = TypeVar("T")

_ANSWERS = {
    None: Answer.NONE,
    "": Answer.NONE,
    "none": Answer.NONE,
    "notresponded": Answer.NONE,
    "organizer": Answer.NONE,
    "tentativelyaccepted": Answer.TENTATIVE,
    "accepted": Answer.ACCEPTED,
    "declined": Answer.DECLINED,
}
_KINDS = {
    "singleinstance": EventKind.SINGLE,
    "occurrence": EventKind.OCCURRENCE,
    "exception": EventKind.EXCEPTION,
    "seriesmaster": EventKind.MASTER,
}
_NO_TIME = ("0001-", "4501-")  # Graph's way of saying that there is none
_UTC_NAMES = {"", "utc", "etc/utc", "gmt", "etc/gmt", "tzone://microsoft/utc"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a delta round, in our words."""

    seen: tuple[Seen, ...]
    next_link: str
    delta_link: str


def parse_page(body: bytes) -> Page:
    """
    Read one page.

    Raises:
        MalformedRecordError: one item that cannot be read spoils the page, since skipping it would say "gone".
    """
    page = read_json(body, wire.DeltaPage)
    return Page(tuple(parse_item(bytes(raw)) for raw in page.value), page.next_link or "", page.delta_link or "")


def parse_item(raw: bytes) -> Seen:
    """Read one item of a delta round. Raises MalformedRecordError."""
    event = read_json(raw, wire.Event)
    if not event.id:
        message = "an event without an id"
        raise MalformedRecordError(message)
    if event.removed is not msgspec.UNSET:
        return SeenRemoval(event.id)
    return _seen_event(event)


def parse_live(body: bytes) -> LiveMeeting:
    """Read one event for a page or before a write. Raises MalformedRecordError."""
    event = read_json(body, wire.LiveEvent)
    start_ms, end_ms = span_of(event)
    return LiveMeeting(
        event_id=event.id,
        title=event.subject or "",
        start_ms=start_ms,
        end_ms=end_ms,
        version=event.etag or event.change_key or "",
        cancelled=bool(event.is_cancelled),
        is_organizer=bool(event.is_organizer),
        attendees=tuple(live_attendee(attendee) for attendee in event.attendees or ()),
    )


def parse_availability(body: bytes) -> dict[str, Availability]:
    """Lower-cased address → what its digits say. Any digit but 0 is busy; an error or no digit at all is unknown."""
    found = {}
    for schedule in read_json(body, wire.SchedulePage).value:
        digits = schedule.availability_view or ""
        if schedule.error is not None or not digits:
            availability = Availability.UNKNOWN
        else:
            availability = Availability.FREE if set(digits) == {"0"} else Availability.BUSY
        found[(schedule.schedule_id or "").lower()] = availability
    return found


def answer_of(word: str | None) -> Answer | None:
    """Our word for Graph's; None for one we do not know, since guessing could invent a decline or hide one."""
    return _ANSWERS.get(None if word is None else word.lower())


def latest(seen: list[Seen]) -> tuple[Seen, ...]:
    """One entry per id: the same id may come several times in a round, and the last one holds."""
    last = {item.event_id: item for item in seen}
    return tuple(last.values())


def _seen_event(event: wire.Event) -> SeenEvent:
    kind = _kind(event)
    start_ms, end_ms = span_of(event)
    of_series = kind in {EventKind.OCCURRENCE, EventKind.EXCEPTION}
    attendees, credible = _attendees(event)
    return SeenEvent(
        event_id=event.id,
        # An occurrence's own iCalUId is another one than its master's, which is what all copies share.
        uid="" if of_series else event.i_cal_uid or "",
        kind=kind,
        master_id=event.series_master_id or "" if of_series else "",
        slot=slot_of(event, start_ms) if of_series else "",
        start_ms=start_ms,
        end_ms=end_ms,
        cancelled=bool(event.is_cancelled),
        is_organizer=bool(event.is_organizer),
        organizer=_address(event.organizer.email_address if event.organizer else None),
        shows_guests=credible,
        attendees=attendees,
        version=event.etag or event.change_key or "",
    )


def _kind(event: wire.Event) -> EventKind:
    kind = _KINDS.get((event.type or "singleInstance").lower())
    if kind is None:
        message = f"event type {str(event.type)[:40]!r} is none of {sorted(_KINDS)}"
        raise MalformedRecordError(message)
    if kind in {EventKind.OCCURRENCE, EventKind.EXCEPTION} and not event.series_master_id:
        return EventKind.SINGLE  # invited to one date only: this mailbox has no series to join it to
    return kind


def _attendees(event: wire.Event) -> tuple[tuple[SeenAttendee, ...] | None, bool]:
    """
    The attendees, and whether this copy can be believed about them.

    (None, True) is a sparse occurrence: its master speaks. (None, False) is a list that must not be used: a draft whose
    answers belong to what was sent before, or an answer in a word that we do not know.
    """
    if event.attendees is None:
        return None, event.is_organizer is not False
    answers = [answer_of(attendee.status.response if attendee.status else None) for attendee in event.attendees]
    if event.is_draft or None in answers:
        return None, False
    seen = tuple(
        SeenAttendee(_address(attendee.email_address), _attendee_kind(attendee), answer)
        for attendee, answer in zip(event.attendees, answers, strict=True)
        if answer is not None
    )
    # Only the organiser's copy follows the others' answers (Microsoft's reply to a user's report).
    return seen, bool(event.is_organizer)


def _attendee_kind(attendee: wire.Attendee) -> AttendeeKind:
    return AttendeeKind.ROOM if (attendee.type or "").lower() == "resource" else AttendeeKind.PERSON


def live_attendee(attendee: wire.Attendee) -> LiveAttendee:
    """An attendee with name and address, for a page."""
    answer = answer_of(attendee.status.response if attendee.status else None)
    return LiveAttendee(
        name=(attendee.email_address.name if attendee.email_address else None) or "",
        address=_address(attendee.email_address),
        is_room=_attendee_kind(attendee) is AttendeeKind.ROOM,
        answer="unknown" if answer is None else answer.value,
    )


def _address(email: wire.EmailAddress | None) -> str:
    return ((email.address if email else None) or "").lower()


def span_of(event: wire.Event) -> tuple[int, int]:
    """Start and end in milliseconds. Raises MalformedRecordError."""
    if event.start is None or event.end is None:
        message = f"event {event.id[:80]!r} has no start or no end"
        raise MalformedRecordError(message)
    return _instant(event.start), _instant(event.end)


def _instant(when: wire.DateTimeTimeZone) -> int:
    """Milliseconds since the epoch. We ask for UTC on every page; another IANA zone is understood all the same."""
    zone = (when.time_zone or "").strip()
    try:
        moment = datetime.fromisoformat(when.date_time)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC if zone.lower() in _UTC_NAMES else ZoneInfo(zone))
        return from_datetime(moment)
    except (ValueError, OverflowError, OSError, ZoneInfoNotFoundError) as error:
        message = f"time {when.date_time[:40]!r} in zone {zone[:40]!r} cannot be read"
        raise MalformedRecordError(message) from error


def slot_of(event: wire.Event, start_ms: int) -> str:
    """The date of the series: where it first stood; a plain occurrence has not moved and says only its start."""
    if not event.original_start or event.original_start.startswith(_NO_TIME):
        return _rfc3339(start_ms)
    try:
        return _rfc3339(from_rfc3339(event.original_start))
    except (ValueError, OverflowError) as error:
        message = f"originalStart {event.original_start[:40]!r} cannot be read"
        raise MalformedRecordError(message) from error


def _rfc3339(at_ms: int) -> str:
    try:
        return to_rfc3339(at_ms)
    except (ValueError, OverflowError, OSError) as error:
        message = f"instant {at_ms} is outside the calendar"
        raise MalformedRecordError(message) from error
