"""Booking a room into the person's own calendar: live, as themselves, once; nothing of the meeting is kept here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from zoneinfo import ZoneInfo

import msgspec

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from services.portal.meetings.deciding.choices import (
    Choices,
    RoomRanking,
    find_free,
    is_offered,
    rank_rooms,
)
from services.portal.meetings.deciding.free_times import FreeTime, busy_times_of, days_to_look_at, hours_of
from services.portal.meetings.deciding.risk import find_risks
from services.portal.meetings.deciding.room_filter import FilterOptions, RoomFilter, list_options
from services.portal.meetings.free_time_search import FreeTimeSearch
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.room_habits import current_habits
from services.portal.meetings.row_quota import RowQuota
from services.portal.meetings.takes import KEPT_MS, MAX_KEY_CHARS, append_command
from services.portal.my_calendar.writing import require_writing
from services.portal.my_day.deciding.booking_form import BookingRequest
from services.portal.my_day.deciding.booking_times import FormTime, find_first_gap
from services.portal.my_day.deciding.known_guests import list_guests
from shared.contracts.command import Reconcile
from shared.contracts.rows import BookingRow, RoomRow
from shared.domain.keys import pseudonym
from shared.domain.sighting import NewMeeting, RoomContact, Window
from shared.errors import LogUnavailableError
from shared.language.deciding.sentences import join_sentences, say
from shared.registry import tables
from shared.runtime.logging import get_logger

MAX_BOOKINGS_A_DAY = 200
"""Of one person, where the choice of the room is left to us: the choice is kept for a day."""
GAP_WAIT_S = 0.6
_log = get_logger()


@dataclass(frozen=True, slots=True)
class BookedMeeting:
    """A meeting that stands in the person's calendar; its room has been asked, no more."""

    event_id: str
    room_id: str
    room: RoomRow
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class DaysAhead:
    """What a person's own next days propose for a booking."""

    gap: FormTime | None
    """The first time at which they have nothing."""
    guests: tuple[str, ...]
    """Addresses of the people whom they meet."""


class Booking:
    """One person's way to a room. Methods raise RetryableError, ConsentRevokedError and RefusedError as the provider says."""

    def __init__(self, deps: Deps, reader: LiveReader, person: Person) -> None:
        self._deps = deps
        self._reader = reader
        self._person = person

    def choices(self, wish: BookingRequest) -> Choices:
        """Connected rooms that are large enough, as wanted, and free then for the person: closest fit first, doubtful ones last."""
        who = (self._person.mailbox, self._person.provider)
        return find_free(
            self._rank(wish),
            wish.wanted,
            lambda addresses: self._reader.availability(*who, addresses, wish.start_ms, wish.end_ms),
        )

    def list_options(self, wanted: RoomFilter) -> FilterOptions:
        """What the filters of the rooms to choose from can be set to."""
        return list_options(self._rooms().values(), wanted)

    def nearest_times(self, wish: BookingRequest, zone: ZoneInfo) -> tuple[FreeTime, ...]:
        """Find times near the wanted one at which the person and a room are free, in office hours of `zone`."""
        ranked, _ = self._rank(wish).select(wish.wanted)
        search = FreeTimeSearch(self._reader, self._person, zone, self._deps.clock.now_ms())
        return search.nearest(ranked, Window(wish.start_ms, wish.end_ms))

    def look_ahead(self, zone: ZoneInfo) -> DaysAhead:
        """Read the person's own next days; their calendar is not waited for long, since a form comes without it too."""
        now_ms = self._deps.clock.now_ms()
        window, who = hours_of(days_to_look_at(now_ms, now_ms, zone), zone), self._person
        items = self._reader.agenda(who.mailbox, who.provider, window, wait_s=GAP_WAIT_S)
        return DaysAhead(find_first_gap(busy_times_of(items), now_ms, zone), list_guests(items))

    def _rank(self, wish: BookingRequest) -> RoomRanking:
        habits = current_habits().of(self._person.tenant)
        risks = find_risks(habits.tallies, {}, [(wish.start_ms, wish.end_ms)], self._deps.clock.now_ms())
        return rank_rooms(self._rooms(), "", (), wish.people, risks=risks)

    def book(self, wish: BookingRequest, key: str) -> BookedMeeting:
        """
        Make the meeting; the same wish under the same `key` makes the same meeting, however often it is sent.

        Another wish under that key is another meeting: a form that was changed after an answer went missing must not be
        told that what it says now stands in the calendar.

        Raises:
            ProblemError: calendars may not be written to (403, 409: see `require_writing`), no key (400), an unknown room or
                none that is free (422), a calendar that is not connected (409).
        """
        require_writing(self._deps, self._person)
        self._check(key)
        request_id = self._request_id(wish, key)
        room_id, row = self._room(wish, request_id)
        meeting = NewMeeting(
            request_id=request_id,
            title=wish.title,
            start_ms=wish.start_ms,
            end_ms=wish.end_ms,
            rooms=(RoomContact(row.address, row.name),),
            attendees=wish.guests,
        )
        event_id = self._reader.book(self._person.mailbox, self._person.provider, meeting)
        self._look_at_once()
        return BookedMeeting(event_id, room_id, row, wish.start_ms, wish.end_ms)

    def _check(self, key: str) -> None:
        if not 0 < len(key) <= MAX_KEY_CHARS:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "idempotency-key-missing",
                say("Booking needs an Idempotency-Key of 1 to {max_key_chars} characters.").format(
                    max_key_chars=MAX_KEY_CHARS
                ),
                next_step=say("Send a fresh random key with each wish, and the same key when you repeat it."),
            )
        if tables.consents(self._deps.engine.registry).get(self._person.tenant, self._person.mailbox.id) is None:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "not-connected",
                say("Your calendar is not connected, so nothing can be booked in it from here."),
                next_step=say("Connect it on your profile: /profile"),
            )

    def _request_id(self, wish: BookingRequest, key: str) -> str:
        fields = {name: value for name, value in asdict(wish).items() if name != "wanted" or wish.wanted.conditions}
        wanted = msgspec.json.encode(fields).decode()  # without filters the id is the one of before there were any
        person = self._person
        return f"b-{pseudonym(self._deps.session_key, 'booking', person.tenant, person.user, key, wanted)}"

    def _room(self, wish: BookingRequest, request_id: str) -> tuple[str, RoomRow]:
        rooms = self._rooms()
        if wish.room:
            if wish.room not in rooms:
                raise ProblemError(
                    HTTPStatus.NOT_FOUND,
                    "no-such-room",
                    say("Your organisation has no such room."),
                    next_step=say("Choose one of the list."),
                )
            return wish.room, rooms[wish.room]
        room_id = self._chosen(wish, request_id, rooms)
        return room_id, rooms[room_id]

    def _chosen(self, wish: BookingRequest, request_id: str, rooms: Mapping[str, RoomRow]) -> str:
        """
        Any that is free: chosen once, since for a wish that is sent again that very room is taken, by itself.

        That is remembered for a day, as room ids under a keyed hash: nothing of the meeting is.
        """
        chosen = tables.bookings(self._deps.engine.registry)
        known = chosen.get(self._person.tenant, request_id)
        if known is not None and known.room in rooms:
            return known.room
        found = self.choices(wish)
        if not found.rooms:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "none-free",
                join_sentences(found.words, *(each.words for each in found.wider)),
                next_step=say("Choose another time or room."),
            )
        if known is None:
            RowQuota(self._deps, self._person).reserve_today("bookings", MAX_BOOKINGS_A_DAY)
        fresh = BookingRow(room=found.rooms[0].id)
        now_ms = self._deps.clock.now_ms()

        def first(row: BookingRow | None) -> BookingRow:
            return row if row is not None and row.room in rooms else fresh

        row = chosen.change(self._person.tenant, request_id, first, not_after_ms=now_ms + KEPT_MS)
        return (row or fresh).room

    def _rooms(self) -> dict[str, RoomRow]:
        listed = tables.rooms(self._deps.engine.registry).scan(self._person.tenant)
        return {room_id: row for room_id, row in listed if is_offered(row)}

    def _look_at_once(self) -> None:
        """So that the room's state is followed from now on; without it the provider's own push would do the same, later."""
        wish = Reconcile(at_ms=self._deps.clock.now_ms())
        try:
            append_command(self._deps, self._person.mailbox, wish)
        except LogUnavailableError as error:
            _log.warning("look_not_asked", mailbox=self._person.mailbox.id, error=str(error))
