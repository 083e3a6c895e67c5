"""The parts of answers about one's own days, as types: pages and JSON show the same ones."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from services.portal.interface.fields import Count, Day, Instant, MeetingRef, OccurrenceRef, RoomId, WallClock, Zone
from services.portal.meetings.deciding.answers import Name, Words
from services.portal.my_day.places import WorkPlace
from shared.contracts.meeting_state import RoomState

Title = Annotated[str, Meta(examples=["Project review"])]
EventId = Annotated[str, Meta(examples=["AAMkAGI2…"], description="The calendar system's id of the event.")]
Kind = Literal["you", "colleague", "guest"]


class DateRoomShape(TypedDict):
    """A room of one date."""

    roomId: RoomId
    roomName: Name | None
    state: RoomState
    words: Words


class AttendeeShape(TypedDict):
    """Somebody who is invited."""

    name: Name
    address: Annotated[str, Meta(examples=["ben@contoso.test"])]
    answer: Annotated[str, Meta(examples=["accepted"])]
    answerWords: Words
    kind: Kind
    place: WorkPlace
    """From where they attend, as far as they said so themselves."""


class ItemShape(TypedDict):
    """One meeting or other event on a day."""

    eventId: EventId
    meetingRef: MeetingRef
    """Empty where the event has no identity that its copies share."""
    occurrenceRef: OccurrenceRef
    title: Title
    start: Instant
    end: Instant
    localStart: WallClock
    localEnd: WallClock
    since: Day | None
    """The day on which it began, if that is an earlier one."""
    until: Day | None
    """The last day that it touches, if that is a later one."""
    allDay: bool
    private: bool
    declined: bool
    """By the person."""
    organizer: bool
    """Whether the person organises it."""
    place: WorkPlace
    attendees: list[AttendeeShape]
    rooms: list[DateRoomShape]


class GoesOnShape(TypedDict):
    """What stands on an earlier day and is not over."""

    eventId: EventId
    title: Title


class DayShape(TypedDict):
    """One day as the person lives it."""

    date: Day
    meetings: Count
    """Those that begin on it and are not declined."""
    place: WorkPlace
    """Where the person works."""
    items: list[ItemShape]
    goesOn: list[GoesOnShape]


class AgendaAnswer(TypedDict):
    """Some days in a row."""

    zone: Zone
    days: list[DayShape]


class CountedDay(TypedDict):
    """How many meetings a day has."""

    date: Day
    meetings: Count


class MonthAnswer(TypedDict):
    """Every day of a month."""

    zone: Zone
    month: Annotated[str, Meta(examples=["2026-11"])]
    rule: Words
    """What is counted."""
    days: list[CountedDay]


class BookedAnswer(TypedDict):
    """A meeting that stands in the person's calendar; its room has been asked, no more."""

    eventId: EventId
    roomId: RoomId
    roomName: Name
    state: Literal["pending"]
    label: Annotated[str, Meta(examples=["free now, not confirmed"])]
    start: Instant
    end: Instant
