"""Rooms of the simulator obey rules that nobody can read; which of them decline what is learned from 200 bookings."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from services.portal.meetings.deciding.choices import NO_RISKS, POSSIBLE, Doubt, RoomCandidate, free, rank_rooms
from services.portal.meetings.deciding.risk import LIKELY, Risk, estimate_risk, find_risks
from services.room_status.deciding.room_counting import count_answers
from shared.contracts.meeting_state import DateRecord, MeetingRecord, RoomRecord, RoomState
from shared.contracts.room_tally import RoomTally, add_room_tallies
from shared.contracts.rows import RoomRow
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.domain.sighting import Availability
from simulator.world.model import AttendeeAnswer, RoomRules
from simulator.world.rules import Slot, verdict
from tests.support.builders import NOW_MS

PEOPLE = ("ada", "ben", "cleo", "dana")
GROUP = frozenset({"ben"})
RULES = {
    "forbidden": RoomRules(mode="forbid"),
    "short": RoomRules(max_duration_minutes=60),
    "near": RoomRules(max_lead_days=14),
    "group": RoomRules(mode="group", group=GROUP),
    "approved": RoomRules(mode="manual"),
    "strict": RoomRules(max_duration_minutes=120, max_lead_days=30),
    "open": RoomRules(),
}
"""Room → its rules."""
LEARNING, MEASURED = 200, 400


@dataclass
class RequestedBooking:
    who: str
    start_ms: int
    end_ms: int
    at_ms: int
    free: frozenset[str]
    """The rooms that nobody else has then."""


def draw(dice: random.Random, at_ms: int) -> RequestedBooking:
    start_ms = at_ms // HOUR_MS * HOUR_MS + dice.randint(1, 60) * DAY_MS + dice.randint(-4, 4) * HOUR_MS
    minutes = dice.choice((30, 45, 60, 90, 120, 180, 240))
    return RequestedBooking(
        dice.choice(PEOPLE), start_ms, start_ms + minutes * MINUTE_MS, at_ms, frozenset(dice.sample(sorted(RULES), 3))
    )


@dataclass
class World:
    """The rooms of the simulator, and what the product has counted of them."""

    rooms: dict[str, RoomRow]
    tallies: dict[str, RoomTally] = field(default_factory=dict)
    own: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def is_accepted(self, room: str, wish: RequestedBooking) -> bool:
        """As the simulator decides it; whoever approves bookings approves all but those of a whole afternoon."""
        slot = Slot(wish.start_ms, wish.end_ms, taken=False)
        found = verdict(RULES[room], [slot], organizer=wish.who, foreign=False, now_ms=wish.at_ms, provider="microsoft")
        if found.answer is None:
            return wish.end_ms - wish.start_ms < 4 * HOUR_MS
        return found.answer is AttendeeAnswer.ACCEPTED

    def suggest(self, wish: RequestedBooking, *, learned: bool) -> RoomCandidate:
        times = [(wish.start_ms, wish.end_ms)]
        risks = find_risks(self.tallies, self.own.get(wish.who, {}), times, wish.at_ms) if learned else NO_RISKS
        ranked, _ = rank_rooms(self.rooms, "", (), 4, risks=risks).select()
        said = {f"{room}@rooms.test": Availability.FREE for room in wish.free}
        return free(ranked, said).rooms[0]

    def book(self, room: str, wish: RequestedBooking) -> bool:
        """The room answers, and room_status counts it."""
        accepted = self.is_accepted(room, wish)
        before, after = (record(room, wish, state) for state in (None, accepted))
        counts = count_answers(before, after)
        fields: dict[str, dict[str, int]] = {}
        for (_, _, name, of), much in counts.items():
            fields.setdefault(name, {})[of] = much
        self.tallies[room] = add_room_tallies((self.tallies.get(room, RoomTally()), RoomTally(**fields)))
        mine = self.own.setdefault(wish.who, {})
        declined, agreed = mine.get(room, (0, 0))
        mine[room] = (declined + (not accepted), agreed + accepted)
        return accepted


def record(room: str, wish: RequestedBooking, accepted: bool | None) -> MeetingRecord:
    state = {None: RoomState.PENDING, True: RoomState.ACCEPTED, False: RoomState.DECLINED}[accepted]
    known = RoomRecord(
        room=room, state=state, answer=state, start_ms=wish.start_ms, end_ms=wish.end_ms, asked_at_ms=wish.at_ms,
        answered_at_ms=0 if accepted is None else wish.at_ms + MINUTE_MS, since_ms=wish.at_ms,
    )  # fmt: skip
    date = DateRecord(ref="o-1", start_ms=wish.start_ms, end_ms=wish.end_ms, rooms=(known,))
    return MeetingRecord(provider="microsoft", meeting="m-1", dates=(date,))


def rooms_with_first(name: str) -> dict[str, RoomRow]:
    """All the same size and place, so that a ranking that knows no rules always takes this one first."""
    return {each: RoomRow(address=f"{each}@rooms.test", name=f"{each != name} {each}", capacity=8) for each in RULES}


@pytest.mark.proves("M4", "E41")
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("first", ["forbidden", "short", "near", "group", "strict"])
def test_after_200_bookings_two_thirds_fewer_suggestions_are_declined(first: str, seed: int) -> None:
    dice, world = random.Random(seed), World(rooms_with_first(first))
    for number in range(LEARNING):
        wish = draw(dice, NOW_MS + number * HOUR_MS)
        world.book(world.suggest(wish, learned=True).id, wish)
    declined: Counter[bool] = Counter()
    for number in range(MEASURED):
        wish = draw(dice, NOW_MS + (LEARNING + number) * HOUR_MS)
        while not any(world.is_accepted(room, wish) for room in wish.free):
            wish = draw(dice, wish.at_ms)  # no ranking finds a room for this one
        for learned in (False, True):
            declined[learned] += not world.is_accepted(world.suggest(wish, learned=learned).id, wish)
    print(f"{first}: of {MEASURED} declined by a fixed ranking {declined[False]}, by a learned one {declined[True]}")
    assert declined[False] > MEASURED / 3, "the rules matter"
    assert declined[True] <= declined[False] / 3


def a_tally(accepted: dict[str, int], declined: dict[str, int]) -> RoomTally:
    return RoomTally(accepted=accepted, declined=declined)


SHORT, LONG = (
    ("duration-1", "lead-1", "hour-3", "day-1", "single"),
    ("duration-3", "lead-1", "hour-3", "day-1", "single"),
)
RULED = a_tally(
    {"": 10, "duration-1": 10, "lead-1": 10, "hour-3": 10, "day-1": 10, "single": 10},
    {"": 9, "duration-3": 9, "lead-1": 9, "hour-3": 9, "day-1": 9, "single": 9},
)


def test_the_condition_that_decides_is_the_reason_with_its_numbers() -> None:
    risk = estimate_risk(RULED, LONG)
    assert (risk.doubt, risk.declined, risk.asked) == (Doubt.THIS_LENGTH, 9, 9)
    assert risk.words == "has declined meetings of this length (9 of 9)"
    fits = estimate_risk(RULED, SHORT)
    assert (fits.doubt, fits.words) == (None, "")
    assert fits.probability < POSSIBLE


def test_who_was_declined_where_others_are_not_reads_so_and_one_answer_proves_little() -> None:
    others = a_tally({"": 20}, {"": 2})
    assert estimate_risk(others, SHORT).doubt is None
    assert estimate_risk(others, SHORT, (2, 0)).words == "has declined you before (2 of 2)"
    assert estimate_risk(others, SHORT, (1, 5)).doubt is None
    refusing = a_tally({}, {"": 4})
    assert estimate_risk(refusing, SHORT).words == "has declined everybody so far (4 of 4)"
    assert find_risks({"r-1": a_tally({}, {"": 2})}, {}, [(NOW_MS, NOW_MS + 1)], NOW_MS) == {}


def test_of_several_dates_the_one_most_likely_to_be_declined_counts() -> None:
    at_ms = NOW_MS + 2 * DAY_MS
    times = [(at_ms, at_ms + HOUR_MS), (at_ms, at_ms + 4 * HOUR_MS)]
    found = find_risks({"r-1": RULED}, {}, times, NOW_MS)["r-1"]
    assert isinstance(found, Risk)
    assert found.probability > LIKELY
