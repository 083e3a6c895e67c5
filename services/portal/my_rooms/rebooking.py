"""From a prompt to a room: what could be taken, and taking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from http import HTTPStatus
from zoneinfo import ZoneInfo

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from services.portal.meetings.deciding.board import MAX_DATES, Board, covers_series
from services.portal.meetings.deciding.choices import (
    Choices,
    NoChoice,
    RoomRanking,
    combine_availability,
    find_doubts,
    find_free,
    is_offered,
    rank_rooms,
)
from services.portal.meetings.deciding.free_times import FreeTime
from services.portal.meetings.deciding.risk import count_own, find_risks
from services.portal.meetings.deciding.room_filter import NO_FILTER, FilterOptions, RoomFilter, list_options
from services.portal.meetings.deciding.words import CLOSING_WORDS
from services.portal.meetings.free_time_search import FreeTimeSearch
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.room_habits import current_habits
from services.portal.meetings.takes import MAX_KEY_CHARS, Takes
from services.portal.my_calendar.writing import require_writing
from shared.contracts.rows import RoomRow, TakeRow, TakeState
from shared.domain.sighting import Availability, Window
from shared.errors import EventGoneError, RefusedError, RetryableError
from shared.language.deciding.sentences import say
from shared.meetings.prompts import Prompt
from shared.meetings.series_refusals import IsRoom, dates_apart, find_objection, series_window
from shared.registry import tables
from shared.runtime.logging import get_logger

_log = get_logger()


class Rebooking:
    """One person's way out of a declined room; made for one request."""

    def __init__(self, deps: Deps, reader: LiveReader, person: Person, desk: PersonalView) -> None:
        self._deps = deps
        self._reader = reader
        self._person = person
        self._desk = desk

    def prompt(self, prompt_id: str) -> Prompt:
        """
        One of the person's own prompts.

        Raises:
            ProblemError: 404 for an unknown one and for another person's alike.
        """
        return _require_prompt(self._desk.prompt(prompt_id))

    def together(self, prompt_id: str, also: Sequence[str]) -> tuple[Prompt, ...]:
        """
        The prompt and those of `also`: dates of one series for which one room is to be found.

        Raises:
            ProblemError: 404 for an unknown prompt, 422 for one of another series, or too many at once.
        """
        wanted = tuple(dict.fromkeys((prompt_id, *also)))
        if len(wanted) > MAX_DATES:
            raise _not_one_series()
        first, *others = (_require_prompt(self._board.prompts.get(each)) for each in wanted)
        if any(each.series != first.series for each in others):
            raise _not_one_series()
        return first, *others

    def count_dates_apart(self, prompts: Sequence[Prompt]) -> int | None:
        """
        How many dates are changed for themselves where the room refused the whole series, and one change takes another.

        None: each date is changed by itself. The series is read only where all its dates in sight were refused.
        """
        if not covers_series(self._board, prompts):
            return None
        now_ms, is_declined = self._deps.clock.now_ms(), self._is_room(prompts[0].room)
        event_id, window = prompts[0].event_id, series_window(now_ms)
        try:
            series = self._reader.series(self._person.mailbox, self._person.provider, event_id, window)
        except (RetryableError, RefusedError, EventGoneError) as error:
            _log.info("series_not_read", mailbox=self._person.mailbox.id, kind=type(error).__name__)
            return None
        if series is None or find_objection(series, is_declined, now_ms) is not None:
            return None
        return len(dates_apart(series, is_declined, now_ms))

    def choices(self, prompt: Prompt, *others: Prompt, wanted: RoomFilter = NO_FILTER) -> Choices:
        """The rooms as wanted that are free on all these dates as the person may see it, nearest first; or why there is none."""
        dates = (prompt, *(each for each in others if each.open))
        try:
            return find_free(self._rank(dates), wanted, partial(self._read_availability, dates))
        except (RetryableError, RefusedError) as error:
            _log.info("availability_failed", mailbox=self._person.mailbox.id, kind=type(error).__name__)
            return Choices((), NoChoice.NOT_READABLE, wanted)

    def list_options(self, wanted: RoomFilter) -> FilterOptions:
        """What the filters of the rooms to choose from can be set to."""
        return list_options(self._offered.values(), wanted)

    def nearest_times(self, choices: Choices, zone: ZoneInfo, *prompts: Prompt) -> tuple[FreeTime, ...]:
        """
        Find times near a date for which no room is free; none for several dates, which are not moved one by one.

        Args:
            choices: What was found for these prompts.
            zone: On whose wall clock office hours are.
            prompts: Of one date, or there is nothing to find.
        """
        if choices.empty is not NoChoice.NONE_FREE or len(prompts) > 1:
            return ()
        [prompt] = prompts
        ranked, _ = self._rank(prompts).select(choices.wanted)
        search = FreeTimeSearch(self._reader, self._person, zone, self._deps.clock.now_ms())
        return search.nearest(ranked, Window(prompt.begins_ms, prompt.ends_ms), prompt.event_id)

    def _rank(self, dates: Sequence[Prompt]) -> RoomRanking:
        asked = frozenset().union(*(each.other_rooms for each in dates))
        habits, own = current_habits().of(self._person.tenant), tuple(self._board.rooms.values())
        doubts = find_doubts(own, habits.health)
        times = [(each.start_ms, each.end_ms) for each in dates]
        risks = find_risks(habits.tallies, count_own(own), times, self._deps.clock.now_ms())
        return rank_rooms(self._offered, dates[0].room, asked, max(each.people for each in dates), doubts, risks)

    def take(self, prompt_id: str, room: str, key: str) -> tuple[str, TakeRow, RoomRow]:
        """
        Ask for `room` instead; the same key gives the same answer however often it is sent.

        Raises:
            ProblemError: calendars may not be written to (403, 409: see `require_writing`), no key (400), not one's own prompt
                (404), a closed prompt or another take under way (409), an unknown room, one that cannot be asked, or a key
                used for something else (422).
            LogUnavailableError: nothing was sent; send it again with the same key.
        """
        require_writing(self._deps, self._person)
        _check_key(key)
        return self._take(prompt_id, room, key)

    def take_all(
        self, prompt_id: str, also: Sequence[str], room: str, key: str
    ) -> tuple[list[tuple[str, TakeRow]], RoomRow]:
        """
        As `take`, on all these dates; each has a take of its own. Dates of `also` that need no room any more are left alone.

        Raises:
            ProblemError: as `take` and `together`.
            LogUnavailableError: not everything was sent; send it again with the same key.
        """
        require_writing(self._deps, self._person)
        _check_key(key)
        first, *others = self.together(prompt_id, also)
        take_id, row, wanted = self._take(first.id, room, key)
        taken, takes = [(take_id, row)], Takes(self._deps, self._person)
        for each in others:
            own_key = f"{key}/{each.id}"
            if each.open or takes.known(own_key, each.id, room) is not None:
                taken.append(self._take(each.id, room, own_key)[:2])
        return taken, wanted

    def take_series(
        self, prompt_id: str, also: Sequence[str], room: str, key: str
    ) -> tuple[list[tuple[str, TakeRow]], RoomRow]:
        """
        As `take_all`, by one change of the whole series; each of these dates has a take of its own, and all one outcome.

        Raises:
            ProblemError: as `take_all`; 409 where the room does not refuse all dates of the series any more.
            LogUnavailableError: nothing was sent; send it again with the same key.
        """
        require_writing(self._deps, self._person)
        _check_key(key)
        prompts, wanted = self.together(prompt_id, also), self._room(room)
        takes = Takes(self._deps, self._person)
        known = takes.known(key, prompt_id, room, whole_series=True)
        if known is None:
            for each in prompts:
                _refuse_closed(each)
                _refuse_unfit(each, room, wanted)
            if not covers_series(self._board, prompts):
                raise _not_whole_series()
        return takes.ask_series(prompts, room, key), wanted

    def _take(self, prompt_id: str, room: str, key: str) -> tuple[str, TakeRow, RoomRow]:
        takes = Takes(self._deps, self._person)
        wanted = self._room(room)
        known = takes.known(key, prompt_id, room)
        if known is not None:
            take_id, row = known
            found = self._desk.prompt(prompt_id)
            if row.state is TakeState.ASKED and found is not None and found.open:
                takes.send(take_id, found, row)
            return take_id, row, wanted
        prompt = self.prompt(prompt_id)
        _refuse_closed(prompt)
        _refuse_unfit(prompt, room, wanted)
        return *takes.ask(prompt, room, key), wanted

    def dismiss_all(self, prompt_id: str, also: Sequence[str]) -> list[Prompt]:
        """As `dismiss`, for all of these. Raises ProblemError as `together`."""
        return [self.dismiss(each.id) for each in self.together(prompt_id, also)]

    def dismiss(self, prompt_id: str) -> Prompt:
        """Put the prompt away. Doing it again, or to a closed one, changes nothing. Raises ProblemError (404)."""
        prompt = self.prompt(prompt_id)
        if prompt.closing is None:
            Takes(self._deps, self._person).dismiss(prompt)
        return self.prompt(prompt_id)

    @cached_property
    def _board(self) -> Board:
        """All that the person sees, read once a request: which prompts go together, and how rooms have answered before."""
        return self._desk.board(self._desk.read_meetings().meetings.values())

    @cached_property
    def _offered(self) -> dict[str, RoomRow]:
        """The rooms that may be proposed, read once a request."""
        listed = tables.rooms(self._deps.engine.registry).scan(self._person.tenant)
        return {room_id: row for room_id, row in listed if is_offered(row)}

    def _read_availability(self, dates: Sequence[Prompt], addresses: Sequence[str]) -> Mapping[str, Availability]:
        """What free/busy says of rooms on all these dates."""
        who = (self._person.mailbox, self._person.provider)
        return combine_availability(
            [self._reader.availability(*who, addresses, each.begins_ms, each.ends_ms) for each in dates]
        )

    def _is_room(self, room: str) -> IsRoom:
        """Whether an address is that of the room, which may have left the list."""
        row = tables.rooms(self._deps.engine.registry).get(self._person.tenant, room)
        known = {row.address.lower(), *row.aliases} if row is not None else set[str]()
        keys = self._deps.engine.keyring.keys(self._person.tenant)
        return lambda address: address in known or keys.room(address) == room

    def _room(self, room: str) -> RoomRow:
        row: RoomRow | None = tables.rooms(self._deps.engine.registry).get(self._person.tenant, room)
        if row is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "no-such-room",
                say("Your organisation has no such room."),
                next_step=say("Take one of those listed under the prompt's `choices`."),
            )
        return row


def _require_prompt(found: Prompt | None) -> Prompt:
    """Raises ProblemError (404): there is none."""
    if found is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "no-such-prompt",
            say("You have no such prompt."),
            next_step=say("Yours stand on the page of your rooms; a program asks /v1/me/prompts."),
        )
    return found


def _not_one_series() -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "not-one-series",
        say("Together go prompts of one meeting and one room, {max_dates} at the most.").format(max_dates=MAX_DATES),
        next_step=say("Name in `also` those prompts whose `series.id` is the same."),
    )


def _not_whole_series() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "not-whole-series",
        say("The room does not refuse all dates of the series."),
        next_step=say("Ask for the `choices` of these prompts again, and take a room as they say."),
    )


def _check_key(key: str) -> None:
    if not key or len(key) > MAX_KEY_CHARS:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "idempotency-key-missing",
            say("Taking a room needs an Idempotency-Key header of 1 to {max_key_chars} characters.").format(
                max_key_chars=MAX_KEY_CHARS
            ),
            next_step=say("Send a fresh random key with each wish, and the same key when you repeat it."),
        )


def _refuse_closed(prompt: Prompt) -> None:
    if prompt.open:
        return
    words = (
        CLOSING_WORDS[prompt.closing]
        if prompt.closing
        else say("Your calendar system may still find a room by itself.")
    )
    raise ProblemError(
        HTTPStatus.CONFLICT,
        f"prompt-{prompt.closing.value if prompt.closing else 'waiting'}",
        words,
        next_step=say(
            "Nothing has to be done for this prompt. Others stand on the page of your rooms; a program asks /v1/me/prompts."
        ),
    )


def _refuse_unfit(prompt: Prompt, room: str, row: RoomRow) -> None:
    """What is not offered is not taken either: a page may be old, and a program may name any room."""
    if room == prompt.room or room in prompt.other_rooms:
        title = say("The meeting has asked this room already.")
    elif not row.paired:
        title = say("This room is not connected any more.")
    elif not row.confirmed:
        title = say("Nobody whose word counts has said yet that this is a meeting room.")
    else:
        return
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "room-not-offered",
        title,
        next_step=say("Take one of those listed under the prompt's `choices`, or reload the page."),
    )
