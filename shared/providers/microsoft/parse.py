"""
Graph's bytes → what one look saw, in our words. Pure.

Sources: learn.microsoft.com/graph, event resource and event delta (read 2026-11-20); the sparse form of occurrences as
reported by users of calendarView/delta.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from shared.contracts.envelope import read_json
from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.domain.instants import from_rfc3339
from shared.domain.sighting import (
    Availability,
    EventKind,
    LiveAttendee,
    LiveMeeting,
    OwnAddresses,
    Seen,
    SeenEvent,
    SeenRemoval,
    Window,
)
from shared.errors import MalformedRecordError
from shared.providers.microsoft import wire
from shared.providers.microsoft.reminders import is_reminder
from shared.providers.microsoft.times import name_of_date, times_of
from shared.providers.readable import readable_link

T = TypeVar("T")

SEEN_FIELDS = (
    "id", "type", "seriesMasterId", "originalStart", "originalStartTimeZone", "iCalUId", "start", "end", "isAllDay",
    "isCancelled", "isOrganizer", "isDraft", "organizer", "attendees",
)  # fmt: skip
"""What an event is asked for outside delta, which knows no `$select`."""

_SMTP = "smtp:"
_FIRST_YEAR, _LAST_YEAR = 1970, 4000
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
_BUSY_DIGITS = re.compile("[^0]{1,4032}")  # 42 days, the longest period that getSchedule takes, in quarters of an hour
_OF_SERIES = {EventKind.OCCURRENCE, EventKind.EXCEPTION}


@dataclass(frozen=True, slots=True)
class GraphPage:
    """One page of a delta round."""

    events: tuple[wire.GraphEvent, ...]
    next_link: str
    delta_link: str

    @property
    def seen(self) -> tuple[Seen, ...]:
        """The page in our words, read as if it were a whole round."""
        return read_events(self.events)


def parse_page(body: bytes) -> GraphPage:
    """
    Read one page. Reminders are left out.

    Raises:
        MalformedRecordError: one item that cannot be read spoils the page, since skipping it would say "gone".
    """
    page = read_json(body, wire.DeltaPage)
    events = (read_json(bytes(raw), wire.GraphEvent) for raw in page.value)
    return GraphPage(
        tuple(event for event in events if not is_reminder(event)), page.next_link or "", page.delta_link or ""
    )


def parse_item(raw: bytes) -> Seen:
    """Read one item of a delta round by itself. Raises MalformedRecordError."""
    return read_events([read_json(raw, wire.GraphEvent)])[0]


def read_events(events: Sequence[wire.GraphEvent], known_all_day: Collection[str] = ()) -> tuple[Seen, ...]:
    """
    Read the events of a round together: the dates of a series get their names from what the series is.

    Args:
        events: Of one delta round, of one series, or a single event.
        known_all_day: Masters that are known to be all-day and may not be among the events.

    Raises:
        MalformedRecordError: one of them cannot be read.
    """
    all_day = all_day_series(events, known_all_day)
    masters = {event.id: event for event in events if _kind_named(event) is EventKind.MASTER}
    return tuple(_read(event, all_day, masters) for event in events)


def all_day_series(events: Sequence[wire.GraphEvent], known: Collection[str] = ()) -> Mapping[str, bool]:
    """
    Say of each series whether it is all-day: master id → by its master, else by a date that was never changed.

    A date that was changed may be all-day in a series that is not, and the other way round.
    """
    found = dict.fromkeys(known, True)
    for kind in (EventKind.OCCURRENCE, EventKind.MASTER):
        for event in events:
            if _kind_named(event) is kind and event.is_all_day is not None:
                found[event.series_master_id or event.id] = event.is_all_day
    return found


def slot_of(event: wire.GraphEvent, all_day: Mapping[str, bool]) -> str:
    """Name a date of a series; "" for a master and a single meeting. Raises MalformedRecordError."""
    if _kind(event) not in _OF_SERIES:
        return ""
    of_days = all_day.get(event.series_master_id or "", bool(event.is_all_day))
    return name_of_date(event, times_of(event).start_ms, all_day=of_days)


def _read(event: wire.GraphEvent, all_day: Mapping[str, bool], masters: Mapping[str, wire.GraphEvent]) -> Seen:
    if not event.id:
        message = "an event without an id"
        raise MalformedRecordError(message)
    if event.removed is not msgspec.UNSET:
        return SeenRemoval(event.id)
    return _seen_event(_completed(event, masters.get(event.series_master_id or "")), all_day)


def _completed(event: wire.GraphEvent, master: wire.GraphEvent | None) -> wire.GraphEvent:
    """A sparse date says neither that it is all-day nor where it is held: its master does."""
    if master is None or event.is_all_day is not None or not master.is_all_day:
        return event
    return msgspec.structs.replace(
        event,
        is_all_day=True,
        original_start_time_zone=event.original_start_time_zone or master.original_start_time_zone,
    )


def parse_live(body: bytes) -> LiveMeeting:
    """Read one event for a page or before a write. Raises MalformedRecordError."""
    return live_meeting(read_json(body, wire.GraphLiveEvent))


def live_meeting(event: wire.GraphLiveEvent) -> LiveMeeting:
    """Tell one event in our words. Raises MalformedRecordError: it has no start or no end."""
    times = times_of(event)
    return LiveMeeting(
        event_id=event.id,
        title=event.subject or "",
        start_ms=times.start_ms,
        end_ms=times.end_ms,
        version=event.etag or event.change_key or "",
        cancelled=bool(event.is_cancelled),
        is_organizer=bool(event.is_organizer),
        attendees=tuple(live_attendee(attendee) for attendee in event.attendees or ()),
        organizer=_name_of(event.organizer),
        ends_ms=times.ends_ms,
        link=readable_link(event.web_link),
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


def parse_busy_times(body: bytes, window: Window, interval_ms: int) -> dict[str, tuple[Window, ...] | None]:
    """
    Lower-cased address → when it is busy; None with an error or without a digit. Any digit but 0 is busy.

    Args:
        body: The answer of getSchedule.
        window: What was asked about: the first digit is for its beginning.
        interval_ms: How long each digit is for.
    """
    found: dict[str, tuple[Window, ...] | None] = {}
    for schedule in read_json(body, wire.SchedulePage).value:
        digits = schedule.availability_view or ""
        known = schedule.error is None and bool(digits)
        found[(schedule.schedule_id or "").lower()] = _busy(digits, window, interval_ms) if known else None
    return found


def _busy(digits: str, window: Window, interval_ms: int) -> tuple[Window, ...]:
    return tuple(
        Window(window.start_ms + run.start() * interval_ms, window.start_ms + run.end() * interval_ms)
        for run in _BUSY_DIGITS.finditer(digits)
    )


def answer_of(word: str | None) -> Answer | None:
    """Our word for Graph's; None for one we do not know, since guessing could invent a decline or hide one."""
    return _ANSWERS.get(None if word is None else word.lower())


def answered_at_ms(status: wire.ResponseStatus | None) -> int:
    """
    Read when an answer was given (learn.microsoft.com/graph/api/resources/responsestatus, `time`).

    Returns:
        0 where it is not said, cannot be read, or is one of the years that stand for never.
    """
    try:
        moment = datetime.fromisoformat((status.time if status else None) or "")
    except ValueError:
        return 0
    return from_rfc3339(moment.isoformat()) if _FIRST_YEAR <= moment.year <= _LAST_YEAR else 0


def latest(seen: list[Seen]) -> tuple[Seen, ...]:
    """One entry per id: the same id may come several times in a round, and the last one holds."""
    last = {item.event_id: item for item in seen}
    return tuple(last.values())


def _seen_event(event: wire.GraphEvent, all_day: Mapping[str, bool]) -> SeenEvent:
    kind = _kind(event)
    times = times_of(event)
    of_series = kind in _OF_SERIES
    attendees, credible = _attendees(event)
    return SeenEvent(
        event_id=event.id,
        # An occurrence's own iCalUId is another one than its master's, which is what all copies share.
        uid="" if of_series else event.i_cal_uid or "",
        kind=kind,
        master_id=event.series_master_id or "" if of_series else "",
        slot=slot_of(event, all_day),
        start_ms=times.start_ms,
        end_ms=times.end_ms,
        cancelled=bool(event.is_cancelled),
        is_organizer=bool(event.is_organizer),
        organizer=_address(event.organizer.email_address if event.organizer else None),
        shows_guests=credible,
        attendees=attendees,
        version=event.etag or event.change_key or "",
        all_day=bool(event.is_all_day),
        begins_ms=times.begins_ms,
        ends_ms=times.ends_ms,
        # learn.microsoft.com/graph/api/event-update: attendees are changed in the organiser's calendar alone.
        can_change=bool(event.is_organizer),
        is_draft=bool(event.is_draft),
    )


def _kind_named(event: wire.GraphEvent) -> EventKind | None:
    return _KINDS.get((event.type or "singleInstance").lower())


def _kind(event: wire.GraphEvent) -> EventKind:
    kind = _kind_named(event)
    if kind is None:
        message = f"event type {str(event.type)[:40]!r} is none of {sorted(_KINDS)}"
        raise MalformedRecordError(message)
    if kind in _OF_SERIES and not event.series_master_id:
        return EventKind.SINGLE  # invited to one date only: this mailbox has no series to join it to
    return kind


def _attendees(event: wire.GraphEvent) -> tuple[tuple[SeenAttendee, ...] | None, bool]:
    """
    The attendees, and whether this copy can be believed about who they are.

    (None, True) is a sparse occurrence: its master speaks. (None, False) is a list that must not be used: a draft whose
    answers belong to what was sent before, or an answer in a word that we do not know. That a guest's copy does not follow the
    others' answers is the profile's to say (`guests_see_answers`): whom it names it names truly.
    """
    if event.attendees is None:
        return None, True
    answers = [answer_of(attendee.status.response if attendee.status else None) for attendee in event.attendees]
    if event.is_draft or None in answers:
        return None, False
    seen = tuple(
        SeenAttendee(
            _address(attendee.email_address),
            _attendee_kind(attendee),
            answer,
            answered_at_ms=0 if answer is Answer.NONE else answered_at_ms(attendee.status),
        )
        for attendee, answer in zip(event.attendees, answers, strict=True)
        if answer is not None
    )
    return seen, True


def _attendee_kind(attendee: wire.GraphAttendee) -> AttendeeKind:
    return AttendeeKind.ROOM if (attendee.type or "").lower() == "resource" else AttendeeKind.PERSON


def _name_of(person: wire.Recipient | None) -> str:
    found = person.email_address if person else None
    return (found.name or found.address or "") if found else ""


def live_attendee(attendee: wire.GraphAttendee) -> LiveAttendee:
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


def parse_own_addresses(body: bytes) -> OwnAddresses:
    """
    Read the addresses of the signed-in person.

    `proxyAddresses` has a kind before each: `SMTP:` (the main one) and `smtp:` reach a mailbox; `SIP:`, `X500:` and others no mail
    does (https://learn.microsoft.com/graph/api/resources/user). What is no address is left out.
    """
    found = read_json(body, wire.GraphPerson)
    mail = (found.mail or "").strip().lower()
    reached = [each[len(_SMTP) :] for each in found.proxy_addresses or () if each.lower().startswith(_SMTP)]
    named = [mail, found.user_principal_name or "", *reached]
    known = dict.fromkeys(each.strip().lower() for each in named if "@" in each)
    return OwnAddresses(mail if mail in known else "", tuple(known))
