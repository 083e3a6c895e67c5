"""What really happened, from the simulator's own history: every decline with the time that was asked for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Spot = tuple[str, str]
"""A meeting's title and a room's name: what a person would call it."""
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
    for meeting in standing:
        for room in meeting["rooms"]:
            states[str(meeting["title"]), rooms[room["id"]]] = frozenset({STATE_OF[room["answer"]]})
    starts = {str(meeting["title"]): int(meeting["startMs"]) for meeting in standing}
    declines = {spot: tuple(found) for spot, found in reading.declines.items()}
    return Truth(declines, states, starts, cancelled, reading.swaps)


class _Reading:
    """Goes through the facts once."""

    def __init__(self, known: Mapping[str, Any], rooms: Mapping[str, str], asked: Mapping[str, list[int]]) -> None:
        self._known, self._rooms, self._asked = known, rooms, asked
        self._moves: dict[str, int] = defaultdict(int)
        self._answers: dict[Spot, str] = {}
        self.declines: dict[Spot, list[int]] = defaultdict(list)
        self.swaps: dict[str, int] = defaultdict(int)
        self.ever_asked: set[Spot] = set()

    def take(self, fact: Mapping[str, Any]) -> None:
        """One fact, in the order of the history."""
        meeting = fact["meeting"]
        title = str(self._known[meeting]["title"])
        match fact["kind"]:
            case "meeting-moved":
                self._moves[meeting] += 1
            case "room-swapped":
                self.swaps[title] += 1
            case "room-asked":
                spot = (title, self._rooms[fact["room"]])
                self.ever_asked.add(spot)
                self._answers[spot] = ""
            case "room-answered":
                self._answered((title, self._rooms[fact["room"]]), meeting, fact["answer"])

    def _answered(self, spot: Spot, meeting: str, answer: str) -> None:
        if answer == "declined" and self._answers.get(spot) != "declined":
            self.declines[spot].append(self._asked[meeting][self._moves[meeting]])
        self._answers[spot] = answer
