"""What really happened, from the simulator's own history: every decline with the time that was asked for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Spot = tuple[str, str]
"""A meeting's title, or the label of a date of a series, and a room's name: what a person would call it."""
SERIES = "Series"
"""How the titles of series begin."""
OVER = frozenset({"gone", "released"})
DECLINED = frozenset({"declined"})
STATE_OF = {"none": "pending", "tentative": "pending", "accepted": "accepted", "declined": "declined"}


@dataclass(frozen=True, slots=True)
class Truth:
    """The simulator's side of the comparison at one instant, of one organisation."""

    declines: Mapping[Spot, tuple[int, ...]]
    """The start that was asked for, of each decline in its order."""
    states: Mapping[Spot, frozenset[str]]
    """The states that may be shown now: one, but for rooms that are no longer asked."""
    starts: Mapping[str, int]
    """Title → start as it stands, for meetings that stand."""
    cancelled: frozenset[str]
    swaps: Mapping[str, int]
    """Title → how often one room was exchanged for another."""


def is_series(title: str) -> bool:
    """Whether a meeting of this title has several dates."""
    return title.startswith(SERIES)


def label_of(title: str, start: str) -> str:
    """What the judge calls one date of a meeting; the title alone, where it has no other."""
    return f"{title} on {start}" if is_series(title) else title


def truth_of(
    meetings: Iterable[Mapping[str, Any]],
    history: Iterable[Mapping[str, Any]],
    rooms: Mapping[str, str],
    asked: Mapping[str, list[int]],
) -> Truth:
    """
    Read the truth.

    Args:
        meetings: As they stand, of one organisation.
        history: Every fact so far.
        rooms: The simulator's room id → its name.
        asked: Meeting id → each start it was given, in order.
    """
    known = {meeting["id"]: meeting for meeting in meetings}
    reading = _Reading(known, rooms, asked)
    for fact in history:
        if fact["meeting"] in known:
            reading.take(fact)
    standing = [meeting for meeting in known.values() if not meeting["cancelled"]]
    cancelled = frozenset(str(meeting["title"]) for meeting in known.values() if meeting["cancelled"])
    states: dict[Spot, frozenset[str]] = dict.fromkeys(reading.ever_asked, OVER)
    starts: dict[str, int] = {}
    for meeting in standing:
        for date in _dates_of(meeting):
            starts[date.label] = date.start_ms
            for room in date.rooms:
                states[date.label, rooms[room["id"]]] = frozenset({STATE_OF[room["answer"]]})
    declines = {spot: tuple(found) for spot, found in reading.declines.items()}
    return Truth(declines, states, starts, cancelled, reading.swaps)


@dataclass(frozen=True, slots=True)
class _Date:
    """One date of a meeting as it stands. A meeting without a series has one, without a key."""

    key: int | None
    label: str
    start_ms: int
    rooms: tuple[Mapping[str, Any], ...]


def _dates_of(meeting: Mapping[str, Any]) -> list[_Date]:
    title = str(meeting["title"])
    if not meeting["occurrences"]:
        return [_Date(None, title, int(meeting["startMs"]), tuple(meeting["rooms"]))]
    return [
        _Date(each["occurrence"], label_of(title, each["start"]), each["occurrence"], tuple(each["rooms"]))
        for each in meeting["occurrences"]
    ]


class _Reading:
    """
    Goes through the facts once.

    A fact of a whole series is one of each date that does not stand apart; an answer to it is one to those of the others, too,
    that were still open. A fact of one date sets it apart.
    """

    def __init__(self, known: Mapping[str, Any], rooms: Mapping[str, str], asked: Mapping[str, list[int]]) -> None:
        self._dates = {name: _dates_of(meeting) for name, meeting in known.items()}
        self._rooms, self._asked = rooms, asked
        self._moves: dict[str, int] = defaultdict(int)
        self._answers: dict[Spot, str] = {}
        self._apart: set[str] = set()
        self.declines: dict[Spot, list[int]] = defaultdict(list)
        self.swaps: dict[str, int] = defaultdict(int)
        self.ever_asked: set[Spot] = set()

    def take(self, fact: Mapping[str, Any]) -> None:
        """One fact, in the order of the history."""
        meeting, key = fact["meeting"], fact["occurrence"]
        dates = [date for date in self._dates[meeting] if key in {None, date.key}]
        if key is not None:
            self._apart |= {date.label for date in dates}
        room = self._rooms.get(fact["room"] or "", "")
        follows = [date for date in dates if key is not None or date.label not in self._apart]
        match fact["kind"]:
            case "meeting-moved":
                self._moves[meeting] += 1
            case "room-swapped":
                for date in follows:
                    self.swaps[date.label] += 1
            case "room-asked":
                for date in follows:
                    self.ever_asked.add((date.label, room))
                    self._answers[date.label, room] = ""
            case "room-answered":
                for date in dates:
                    if date in follows or self._answers.get((date.label, room)) == "":
                        self._answered(date, room, meeting, fact["answer"])

    def _answered(self, date: _Date, room: str, meeting: str, answer: str) -> None:
        spot = (date.label, room)
        if answer == "declined" and self._answers.get(spot) != "declined":
            start_ms = date.start_ms if date.key is not None else self._asked[meeting][self._moves[meeting]]
            self.declines[spot].append(start_ms)
        self._answers[spot] = answer
