"""
A small model of the truth: one series, its organiser and guests, two rooms, and time. It knows nothing of the product.

What a calendar really is at each moment, and a count of how often each room really declined. People look at it, and what a look
shows is written down as plain data (`Word`), to be heard sooner, later, twice or never.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NOW_MS = 1_796_112_000_000
"""2026-12-01T08:00:00Z."""
WINDOW_MS = 60 * DAY_MS
KEEP_PAST_MS = DAY_MS
CONFIRM_AFTER_MS = 5_000
"""How long a provider is given to clear the answer to an earlier time."""
ROOMS = ("aare", "birs")
ORGANISER, GUESTS = "ada", ("ben", "cyd")
PEOPLE = (ORGANISER, *GUESTS)
NONE, ACCEPTED, DECLINED = "none", "accepted", "declined"

_DOUBTED = "declined, in the word in which the time was new"

Ask = tuple[int, str, int]
"""Date of the series, room, start: what a room is asked for."""


@dataclass(frozen=True)
class Date:
    """One date of the series as it is now. `rooms` holds the answer of each room that is invited."""

    start_ms: int
    rooms: tuple[tuple[str, str], ...] = ()
    given: tuple[tuple[str, int], ...] = ()
    """Room → when it answered last, to this time or to another one."""
    outdated: tuple[tuple[str, str], ...] = ()
    """Room → the answer to an earlier time that the calendar shows still, though the room has yet to answer."""

    @property
    def end_ms(self) -> int:
        """An hour later."""
        return self.start_ms + HOUR_MS

    def answer(self, room: str) -> str | None:
        """What the room says; None when it is not invited."""
        return dict(self.rooms).get(room)

    def with_answer(self, room: str, answer: str | None) -> Date:
        """The same date with the room invited, answering, or (None) not invited any more."""
        rooms = {**dict(self.rooms), room: answer}
        return replace(
            self,
            rooms=tuple(sorted((key, said) for key, said in rooms.items() if said is not None)),
            outdated=tuple((key, said) for key, said in self.outdated if key != room),
            given=tuple((key, at_ms) for key, at_ms in self.given if key != room),
        )

    def shown(self) -> dict[str, str]:
        """What the calendar shows of each room."""
        return {**dict(self.rooms), **dict(self.outdated)}


@dataclass(frozen=True)
class Word:
    """What one look at one person's calendar showed."""

    person: str
    at_ms: int
    baseline: bool
    dates: tuple[tuple[int, Date], ...]
    sequence: int


@dataclass
class Calendar:
    """The truth, and what really happened to each ask."""

    now_ms: int = NOW_MS
    sequence: int = 0
    dates: dict[int, Date] = field(default_factory=dict)
    declines: dict[Ask, int] = field(default_factory=dict)
    """How often a room turned to declined at that time: no product may tell more of them."""
    accepted: set[int] = field(default_factory=set)
    """Dates of which some room has ever accepted."""
    moved: set[int] = field(default_factory=set)
    """Dates that have ever had another time, or been taken out and put back."""
    invited_ms: dict[tuple[int, str], int] = field(default_factory=dict)
    """Date and room → when the room was invited last."""

    def book(self, number: int, room: str) -> None:
        """Date `number` of the series comes into being, or invites one more room."""
        date = self.dates.get(number) or Date((self.now_ms // HOUR_MS + 24 * (number + 1)) * HOUR_MS)
        if date.answer(room) is None:
            self.invited_ms[number, room] = self.now_ms
            self._set(number, date.with_answer(room, NONE))

    def answer(self, number: int, room: str, answer: str) -> None:
        """The room answers, if it is invited."""
        date = self.dates.get(number)
        if date is None or date.answer(room) in (None, answer):
            return
        answered = date.with_answer(room, answer)
        self.now_ms += 1  # no two answers of a room are given at one moment
        self.dates[number] = replace(answered, given=(*answered.given, (room, self.now_ms)))
        if answer == ACCEPTED:
            self.accepted.add(number)
        if answer == DECLINED:
            ask = (number, room, date.start_ms)
            self.declines[ask] = self.declines.get(ask, 0) + 1

    def move(self, number: int, hours: int) -> None:
        """The date moves: every invited room is asked anew."""
        date = self.dates.get(number)
        if date is not None and hours:
            self.moved.add(number)
            rooms = tuple((room, NONE) for room, _ in date.rooms)
            self._set(number, Date(date.start_ms + hours * HOUR_MS, rooms))

    def move_keeping(self, number: int, hours: int, kept: Collection[str]) -> None:
        """The date moves, every invited room is asked anew, and the calendar goes on to show what those `kept` said before."""
        date = self.dates.get(number)
        if date is not None and hours:
            self.move(number, hours)
            outdated = tuple(
                (room, said) for room, said in sorted(date.shown().items()) if room in kept and said != NONE
            )
            given = tuple((room, at_ms) for room, at_ms in date.given if room in dict(outdated))
            self.dates[number] = replace(self.dates[number], outdated=outdated, given=given)

    def uninvite(self, number: int, room: str) -> None:
        """The room is taken off the date."""
        date = self.dates.get(number)
        if date is not None and date.answer(room) is not None:
            self._set(number, date.with_answer(room, None))

    def cancel(self, number: int) -> None:
        """The date is taken out of the series."""
        if self.dates.pop(number, None) is not None:
            self.sequence += 1
            self.moved.add(number)

    def shown_to(self, person: str, *, baseline: bool) -> Word:
        """What a look of `person` shows now."""
        return Word(person, self.now_ms, baseline, tuple(sorted(self.dates.items())), self.sequence)

    def _set(self, number: int, date: Date) -> None:
        self.dates[number] = date
        self.sequence += 1


@dataclass(frozen=True)
class _Witnessed:
    """What was witnessed last of a room on a date."""

    start_ms: int
    said: str
    at_ms: int
    """When it was first said so: the look's moment."""
    asked: bool = True
    """Whether the room is still invited."""


@dataclass
class Witness:
    """
    What must have been told by somebody who hears the organiser's words alone, in their order.

    `told` counts what is certain, `doubtful` what a careful product may tell or not: a time that is new in the very word that says
    declined, where nobody can know which time the answer belongs to until it is repeated, a while later. What was over for a day is
    forgotten: who connects again then sees the date for the first time.
    """

    told: dict[Ask, int] = field(default_factory=dict)
    doubtful: dict[Ask, int] = field(default_factory=dict)
    _last: dict[tuple[int, str], _Witnessed] = field(default_factory=dict)

    def hear(self, word: Word) -> None:
        """One more committed look of the organiser."""
        shown = {(number, room): (date, said) for number, date in word.dates for room, said in date.rooms}
        for key, last in list(self._last.items()):
            if last.start_ms + HOUR_MS < word.at_ms - KEEP_PAST_MS:
                del self._last[key]
            elif key not in shown:
                self._last[key] = replace(last, asked=False)
        for (number, room), (date, said) in shown.items():
            self._hear_one(number, room, date, said, word)

    def _hear_one(self, number: int, room: str, date: Date, said: str, word: Word) -> None:
        before = self._last.get((number, room))
        self._last[number, room] = _Witnessed(date.start_ms, said, word.at_ms)
        if said != DECLINED or date.end_ms <= word.at_ms:
            return
        ask = (number, room, date.start_ms)
        if before is None:
            if not word.baseline:
                self.told[ask] = self.told.get(ask, 0) + 1
            return
        doubted = before.asked and before.said == _DOUBTED
        if before.start_ms == date.start_ms:
            if doubted and word.at_ms < before.at_ms + CONFIRM_AFTER_MS:
                self._last[number, room] = before
                return
            if not before.asked or before.said != DECLINED:
                self.told[ask] = self.told.get(ask, 0) + 1
            if doubted:
                self.doubtful[ask] -= 1  # repeated: now it is certain
            return
        if doubted or (before.asked and before.said == DECLINED):
            self._last[number, room] = _Witnessed(date.start_ms, _DOUBTED, word.at_ms)
            self.doubtful[ask] = self.doubtful.get(ask, 0) + 1
        else:
            self.told[ask] = self.told.get(ask, 0) + 1
