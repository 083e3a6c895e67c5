"""Agenda and month as they are shown, in JSON and on pages alike: live content joined with our own states and places."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.my_day.answers import AttendeeShape, DayShape, ItemShape
from services.portal.my_day.deciding.agenda import Day, by_day, span
from services.portal.my_day.deciding.room_states import DateRooms
from services.portal.my_day.deciding.zones import local, midnight_ms
from services.portal.my_day.places import Places, WorkPlace
from shared.domain.instants import DAY_MS, to_rfc3339
from shared.domain.keys import TenantKeys
from shared.domain.sighting import AgendaItem, LiveAttendee, Window
from shared.language.deciding.formats import DAYS_OF_WEEK
from shared.language.deciding.sentences import say
from shared.registry import tables

ANSWER_WORDS = {
    "accepted": say("Accepted"), "declined": say("Declined"), "tentative": say("Tentative"), "none": say("No answer yet"),
    "unknown": say("Not known"),
}  # fmt: skip


class DayView:
    """Reads for one answer to one person, as that person."""

    def __init__(self, deps: Deps, reader: LiveReader, person: Person, zone: ZoneInfo) -> None:
        self._deps = deps
        self._reader = reader
        self._person = person
        self._zone = zone
        self._places = Places(deps, person)
        self._people: dict[str, str] = {}
        """Address → its keyed hash: each is reckoned once for an answer, and so are names of meetings."""
        self._named: dict[tuple[str, str], tuple[str, str]] = {}

    def agenda(self, first: date, count: int) -> list[DayShape]:
        """
        Every day with its items.

        Raises:
            RetryableError, ConsentRevokedError, RefusedError: as the provider says.
        """
        return self._shapes(self._days(first, count))

    def agenda_and_week(self, first: date, count: int, monday: date) -> tuple[list[DayShape], list[Day]]:
        """
        As `agenda`, and the seven days from `monday` on, which need not be one, as `count_meetings` counts them: of one read.

        `first` is one of these seven. Raises as `agenda` does.
        """
        last = max(first + timedelta(days=count), monday + timedelta(days=DAYS_OF_WEEK))
        items = self._read(monday, (last - monday).days)
        week = by_day(items, monday, DAYS_OF_WEEK, self._zone)
        return self._shapes(by_day(items, first, count, self._zone)), week

    def _shapes(self, found: list[Day]) -> list[DayShape]:
        desk = PersonalView(self._deps, self._person)
        board = desk.board(desk.read_meetings().meetings.values())
        rooms = dict(tables.rooms(self._deps.engine.registry).scan(self._person.tenant))
        asked = DateRooms(tuple(board.rooms.values()), rooms, desk.keys)
        me = self._places.me()
        self._read_ahead(found, desk.keys, asked, me)
        return [
            {
                "date": day.date.isoformat(),
                "meetings": day.meetings,
                "place": self._places.mine(day.date),
                "items": [self._item(item, day.date, desk.keys, asked, me) for item in day.items],
                "goesOn": [
                    {"eventId": each.event_id, "title": each.title} for each in day.goes_on if not each.declined
                ],
            }
            for day in found
        ]

    def count_meetings(self, first: date, count: int) -> list[Day]:
        """How many meetings each day has; raises as `agenda` does."""
        return self._days(first, count)

    def places(self, days: Collection[date]) -> dict[date, WorkPlace]:
        """Where the person works on each of these days."""
        self._places.read_ahead(days)
        return {day: self._places.mine(day) for day in days}

    def _days(self, first: date, count: int) -> list[Day]:
        return by_day(self._read(first, count), first, count, self._zone)

    def _read(self, first: date, count: int) -> Sequence[AgendaItem]:
        start_ms = midnight_ms(first, self._zone)
        # A day more at either end: all-day events stand on dates, which begin at other instants than one's own days.
        window = Window(start_ms - DAY_MS, start_ms + (count + 1) * DAY_MS)
        return self._reader.agenda(self._person.mailbox, self._person.provider, window)

    def _read_ahead(self, found: Sequence[Day], keys: TenantKeys, asked: DateRooms, me: str) -> None:
        """What `_shapes` will ask of places, at once."""
        attended = [
            (person, *self._names(item, keys), day.date)
            for day in found
            for item in day.items
            for person in (me, *(self._person_of(each, keys) for each in item.attendees if not asked.is_room(each)))
        ]
        self._places.read_ahead([day.date for day in found], attended)

    def _names(self, item: AgendaItem, keys: TenantKeys) -> tuple[str, str]:
        """The pseudonyms of an item's meeting and of its date; "" where it has none."""
        if (item.uid, item.slot) not in self._named:
            meeting = keys.meeting(self._person.provider, item.uid) if item.uid else ""
            self._named[item.uid, item.slot] = meeting, keys.occurrence(meeting, item.slot) if meeting else ""
        return self._named[item.uid, item.slot]

    def _person_of(self, attendee: LiveAttendee, keys: TenantKeys) -> str:
        """The keyed hash of an attendee's address; "" without one."""
        address = attendee.address
        if address not in self._people:
            self._people[address] = keys.person(address) if address else ""
        return self._people[address]

    def _item(self, item: AgendaItem, day: date, keys: TenantKeys, asked: DateRooms, me: str) -> ItemShape:
        meeting, occurrence = self._names(item, keys)
        people = [each for each in item.attendees if not asked.is_room(each)]
        begins, ends = span(item, self._zone)
        return {
            "eventId": item.event_id,
            "meetingRef": meeting,
            "occurrenceRef": occurrence,
            "title": item.title,
            "start": to_rfc3339(item.start_ms),
            "end": to_rfc3339(item.end_ms),
            "localStart": f"{local(item.start_ms, self._zone):%H:%M}",
            "localEnd": f"{local(item.end_ms, self._zone):%H:%M}",
            "since": begins.isoformat() if begins < day else None,
            "until": ends.isoformat() if ends != begins else None,
            "allDay": item.all_day,
            "private": item.private,
            "declined": item.declined,
            "organizer": item.is_organizer,
            "place": self._places.of(me, meeting, occurrence, day),
            "attendees": [self._attendee(each, keys, meeting, occurrence, day) for each in people],
            "rooms": asked.of(item, occurrence),
        }

    def _attendee(
        self, each: LiveAttendee, keys: TenantKeys, meeting: str, occurrence: str, day: date
    ) -> AttendeeShape:
        person = self._person_of(each, keys)
        colleague = self._places.is_colleague(person)
        return {
            "name": each.name or each.address,
            "address": each.address,
            "answer": each.answer,
            "answerWords": ANSWER_WORDS.get(each.answer, ANSWER_WORDS["unknown"]),
            "kind": "you" if self._places.is_me(person) else "colleague" if colleague else "guest",
            "place": self._places.of(person, meeting, occurrence, day),
        }
