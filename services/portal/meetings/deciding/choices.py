"""Which rooms one could take instead, nearest first, and why there is none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from services.portal.meetings.deciding.health import Health, RoomCheck
from services.portal.meetings.deciding.room_filter import NO_FILTER, RoomFilter, Widening, find_widenings
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import RoomRow
from shared.domain.sighting import Availability
from shared.language.deciding.sentences import join_sentences, say
from shared.meetings.prompts import RoomLine

MAX_CANDIDATES = 20  # one free/busy call at either provider
LABEL = say("free now, not confirmed")


class NoChoice(StrEnum):
    """Why there is nothing to choose from."""

    NO_ROOMS = "no-rooms"
    NONE_LARGE_ENOUGH = "none-large-enough"
    NONE_MATCHES = "none-matches"
    NONE_FREE = "none-free"
    NOT_VISIBLE = "not-visible"
    NOT_READABLE = "not-readable"


WORDS = {
    NoChoice.NO_ROOMS: say("There is no room to choose from. An administrator can enter rooms, and connect them."),
    NoChoice.NONE_LARGE_ENOUGH: say("None of the rooms to choose from seats that many people."),
    NoChoice.NONE_MATCHES: say("No room that is large enough matches your filters."),
    NoChoice.NONE_FREE: say(
        "None of the rooms that are large enough is free at that time. You could move the meeting."
    ),
    NoChoice.NOT_VISIBLE: say("Your calendar system does not show you whether these rooms are free."),
    NoChoice.NOT_READABLE: say("Your calendar system could not be asked just now. Try again in a moment."),
}
NONE_FREE_MATCHES = say("None of the rooms that match your filters is free at that time.")
NO_OTHER_FREE = say("No other room is known to be free then. You could move the meeting.")


class Doubt(StrEnum):
    """Why a room is likely to say no, or nothing: it is offered last."""

    DECLINED_YOU = "declined-you"
    ALWAYS_DECLINES = "always-declines"
    NEVER_ANSWERS = "never-answers"
    OFTEN_DECLINES = "often-declines"
    THIS_LENGTH = "this-length"
    THIS_FAR_AHEAD = "this-far-ahead"
    THIS_HOUR = "this-hour"
    THIS_WEEKDAY = "this-weekday"
    SERIES = "series"


DOUBT_WORDS = {
    Doubt.DECLINED_YOU: say("has declined you before"),
    Doubt.ALWAYS_DECLINES: say("has declined everybody so far"),
    Doubt.NEVER_ANSWERS: say("leaves requests without an answer"),
    Doubt.OFTEN_DECLINES: say("has declined most requests"),
    Doubt.THIS_LENGTH: say("has declined meetings of this length"),
    Doubt.THIS_FAR_AHEAD: say("has declined requests so far ahead"),
    Doubt.THIS_HOUR: say("has declined meetings at this hour"),
    Doubt.THIS_WEEKDAY: say("has declined meetings on this weekday"),
    Doubt.SERIES: say("has declined series"),
}
NO_DOUBTS: Mapping[str, Doubt] = MappingProxyType({})


def find_doubts(own: Iterable[RoomLine], health: Mapping[str, Health]) -> dict[str, Doubt]:
    """
    Room id → why to doubt it; what it said to the person themselves counts before what it said to others.

    Args:
        own: The rooms of the person's meetings, with their states.
        health: Room id → how it is doing in the whole organisation.
    """
    lines = tuple(own)
    accepted = {line.room for line in lines if line.state is RoomState.ACCEPTED}
    declined = {line.room for line in lines if line.state is RoomState.DECLINED} - accepted
    silent = {room: Doubt.NEVER_ANSWERS for room, each in health.items() if each.answers is RoomCheck.NO}
    refusing = {room: Doubt.ALWAYS_DECLINES for room, each in health.items() if each.bookable is RoomCheck.NO}
    return {**silent, **refusing, **dict.fromkeys(declined, Doubt.DECLINED_YOU)}


def is_offered(room: RoomRow) -> bool:
    """Whether a room may be proposed to anybody: connected, and proven to be a room."""
    return room.paired and room.confirmed


class RoomRisk(Protocol):
    """How likely a room is to decline (`services.portal.meetings.deciding.risk`)."""

    @property
    def probability(self) -> float:
        """From 0 to 1."""
        ...

    @property
    def doubt(self) -> Doubt | None:
        """By what it shows that a decline is likely; None while it is not."""
        ...

    @property
    def words(self) -> str:
        """The same with numbers, for a person to read."""
        ...


NO_RISKS: Mapping[str, RoomRisk] = MappingProxyType({})
POSSIBLE = 0.2
"""Rooms that are as likely to decline as this come after those that are not."""


@dataclass(frozen=True, slots=True)
class RoomCandidate:
    """A room that is large enough, before anybody asked whether it is free."""

    id: str
    room: RoomRow
    same_building: bool
    same_floor: bool
    doubt: Doubt | None = None
    doubt_words: str = ""
    """The doubt with its numbers, where there are any."""
    possible: bool = False
    """Whether it may well decline, though nothing speaks clearly against it."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks for it, after what speaks against it, for a person to read."""
        place = (say("same floor"),) if self.same_floor else (say("same building"),) if self.same_building else ()
        doubt = (self.doubt_words or DOUBT_WORDS[self.doubt],) if self.doubt else ()
        return (
            *doubt,
            *place,
            say("seats {seats}").format(seats=self.room.capacity) if self.room.capacity else say("capacity not known"),
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """Rooms that were free when asked, or why there is none."""

    rooms: tuple[RoomCandidate, ...]
    empty: NoChoice | None
    wanted: RoomFilter = NO_FILTER
    wider: tuple[Widening, ...] = ()
    """Where there is none as wanted: what there is if less is asked."""

    @property
    def words(self) -> str:
        """Why there is none, for a person to read; "" where there are some. How to ask less stands in `wider`."""
        if self.empty is None:
            return ""
        if not self.wanted.conditions or self.empty not in _FILTERED:
            return WORDS[self.empty]
        filtered = NONE_FREE_MATCHES if self.empty is NoChoice.NONE_FREE else WORDS[self.empty]
        return join_sentences(filtered, "" if self.wider else NO_OTHER_FREE)


_FILTERED = (NoChoice.NONE_MATCHES, NoChoice.NONE_FREE)
"""What asking less may help against."""


@dataclass(frozen=True, slots=True)
class RoomRanking:
    """The rooms that are large enough, best first, before anybody asked whether they are free."""

    rooms: Sequence[RoomCandidate]
    empty: NoChoice | None

    def select(self, wanted: RoomFilter = NO_FILTER) -> tuple[Sequence[RoomCandidate], NoChoice | None]:
        """Those that are as wanted, as many as one free/busy call takes; or why there is none."""
        if self.empty is not None:
            return (), self.empty
        found = [each for each in self.rooms if not wanted.find_missed(each.room)][:MAX_CANDIDATES]
        return found, None if found else NoChoice.NONE_MATCHES

    def select_others(self, wanted: RoomFilter) -> Sequence[RoomCandidate]:
        """As many of the others, those first that miss least of what is wanted."""
        others = [each for each in self.rooms if wanted.find_missed(each.room)]
        return sorted(others, key=lambda each: len(wanted.find_missed(each.room)))[:MAX_CANDIDATES]


def rank_rooms(
    rooms: Mapping[str, RoomRow],
    declined: str,
    asked: Collection[str],
    people: int,
    doubts: Mapping[str, Doubt] = NO_DOUBTS,
    risks: Mapping[str, RoomRisk] = NO_RISKS,
) -> RoomRanking:
    """
    The rooms worth asking about, nearest to the one that declined first: building, floor, then the closest fit.

    Those of which there is a doubt come after all others.

    Args:
        rooms: Room id → room, of the whole organisation.
        asked: Rooms that the meeting has asked already.
        doubts: Room id → why it is likely to say no.
        risks: Room id → how likely it is to say no to this very request; counts before `doubts`, but for a room that is silent.
        people: How many seats are needed. A room of unknown capacity stays in, behind those that are known to fit.
    """
    others = {room_id: room for room_id, room in rooms.items() if room_id != declined and room_id not in asked}
    if not others:
        return RoomRanking((), NoChoice.NO_ROOMS)
    near = rooms.get(declined)
    fitting = [
        _candidate(room_id, room, near, doubts.get(room_id), risks.get(room_id))
        for room_id, room in others.items()
        if not 0 < room.capacity < people
    ]
    ranked = sorted(fitting, key=lambda each: _distance(each, people))
    return RoomRanking(ranked, None if ranked else NoChoice.NONE_LARGE_ENOUGH)


AskAvailability = Callable[[Sequence[str]], Mapping[str, Availability]]
"""Room addresses → what free/busy says of each."""


def find_free(ranking: RoomRanking, wanted: RoomFilter, ask: AskAvailability) -> Choices:
    """
    Find the rooms that are as wanted and free.

    Where there is none, free/busy is asked once more, of those that miss least of what is wanted.

    Args:
        ranking: The rooms, best first.
        wanted: What is asked of them.
        ask: Asks free/busy; what it raises goes through.
    """
    ranked, empty = ranking.select(wanted)
    found = free(ranked, _ask(ranked, ask)) if empty is None else Choices((), empty)
    if found.empty not in _FILTERED or not wanted.conditions:
        return replace(found, wanted=wanted)
    others = ranking.select_others(wanted)
    beside = free(others, _ask(others, ask)).rooms if others else ()
    return replace(found, wanted=wanted, wider=find_widenings((each.room for each in beside), wanted))


def group_by_building(rooms: Iterable[RoomCandidate]) -> list[tuple[str, list[RoomCandidate]]]:
    """Rooms by building, in the order of the best room of each; "" is the building of those whose own is not known."""
    found: dict[str, list[RoomCandidate]] = {}
    for each in rooms:
        found.setdefault(each.room.building, []).append(each)
    return list(found.items())


def combine_availability(said: Sequence[Mapping[str, Availability]]) -> Mapping[str, Availability]:
    """What free/busy said of each room on several dates, as one word: busy on one is busy, unknown on one is not free."""
    found: dict[str, Availability] = {}
    for address in {address for each in said for address in each}:
        words = {each.get(address, Availability.UNKNOWN) for each in said}
        found[address] = next(
            word for word in (Availability.BUSY, Availability.UNKNOWN, Availability.FREE) if word in words
        )
    return found


def free(ranked: Sequence[RoomCandidate], said: Mapping[str, Availability]) -> Choices:
    """
    Those that free/busy calls free, in their order.

    Args:
        said: Room address (lower-cased) → what free/busy said of it. UNKNOWN and absent are not free.
    """
    found = tuple(each for each in ranked if said.get(each.room.address.lower()) is Availability.FREE)
    if found or not ranked:
        return Choices(found, None if found else NoChoice.NO_ROOMS)
    seen = any(said.get(each.room.address.lower()) is Availability.BUSY for each in ranked)
    return Choices((), NoChoice.NONE_FREE if seen else NoChoice.NOT_VISIBLE)


def _ask(rooms: Sequence[RoomCandidate], ask: AskAvailability) -> Mapping[str, Availability]:
    return ask([each.room.address for each in rooms])


def _candidate(
    room_id: str, room: RoomRow, near: RoomRow | None, doubt: Doubt | None, risk: RoomRisk | None
) -> RoomCandidate:
    same_building = near is not None and bool(room.building) and room.building == near.building
    same_floor = same_building and near is not None and bool(room.floor) and room.floor == near.floor
    if risk is None or doubt is Doubt.NEVER_ANSWERS:
        return RoomCandidate(room_id, room, same_building, same_floor, doubt)
    possible = risk.probability >= POSSIBLE
    return RoomCandidate(room_id, room, same_building, same_floor, risk.doubt, risk.words, possible)


def _distance(each: RoomCandidate, people: int) -> tuple[bool, bool, bool, bool, bool, int, str]:
    unknown = each.room.capacity == 0
    beyond = (each.doubt is not None, each.possible, not each.same_building, not each.same_floor, unknown)
    return (*beyond, each.room.capacity - people, each.room.name)
