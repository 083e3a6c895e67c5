"""The sums of `room-outcomes` are those of the calendar's truth: each decline ends once, as its meeting did, or not at all."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from shared.contracts.room_outcome import OutcomeReason
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.office import AARE, BIRS, Office

pytestmark = pytest.mark.proves("B20")
MEETINGS = 60
OPEN = "open"
ENDS = (*(each.value for each in OutcomeReason if each not in {OutcomeReason.DISMISSED, OutcomeReason.PROVIDER}), OPEN)


class Truth:
    """A calendar in which rooms decline, and then what becomes of the meetings."""

    def __init__(self, office: Office, seed: int) -> None:
        self.office = office
        self.random = random.Random(seed)
        self.starts = {}
        self.ends = {f"e{number}": self.random.choice(ENDS) for number in range(MEETINGS)}
        for event, end in self.ends.items():
            hours = self.random.randint(2, 6) if end == OutcomeReason.PAST else self.random.randint(24 * 3, 24 * 20)
            self.starts[event] = office.clock.at_ms + hours * HOUR_MS

    def look(self, minutes: int) -> None:
        """Everything is looked at so much later, sometimes twice."""
        self.office.clock.at_ms += minutes * MINUTE_MS
        for _ in range(self.random.randint(1, 2)):
            self.office.hint()
            for _ in range(3):
                self.office.settle()

    def book(self, event: str, **rooms: str) -> None:
        self.office.calendar.book(event, start_ms=self.starts[event], **rooms)

    def live(self) -> None:
        """All rooms decline; then, a group at a time, the meetings end as they do."""
        for answer in ("none", "declined"):
            for event in self.ends:
                self.book(event, **{AARE: answer})
            self.look(3)
        order = list(self.ends)
        self.random.shuffle(order)
        for begin in range(0, MEETINGS, 7):
            for event in order[begin : begin + 7]:
                self.begin_to_end(event)
            self.look(5)
            for event in order[begin : begin + 7]:
                self.end(event)
            self.look(5)
        self.office.clock.at_ms += DAY_MS
        for _ in range(6):
            self.office.settle()

    def begin_to_end(self, event: str) -> None:
        """What has to be asked before it can be answered."""
        if self.ends[event] == OutcomeReason.REBOOKED:
            self.book(event, **{AARE: "declined", BIRS: "none"})
        elif self.ends[event] == OutcomeReason.MOVED:
            self.starts[event] += 2 * HOUR_MS
            self.book(event, **{AARE: "none"})

    def end(self, event: str) -> None:
        """What ends the decline, if anything does but time."""
        match self.ends[event]:
            case OutcomeReason.REBOOKED:
                self.book(event, **{AARE: "declined", BIRS: "accepted"})
            case OutcomeReason.MOVED | OutcomeReason.ACCEPTED:
                self.book(event, **{AARE: "accepted"})
            case OutcomeReason.CANCELLED:
                del self.office.calendar.events[event]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_decline_ends_once_and_the_sums_are_those_of_the_truth(tmp_path: Path, seed: int) -> None:
    office = Office(tmp_path)
    try:
        office.connect()
        truth = Truth(office, seed)
        truth.live()
        declines = Counter(office.declines())
        ended = office.topic("room-outcomes")
        assert set(declines.values()) == {1}
        assert len(declines) == MEETINGS
        assert set(Counter(each["data"]["declineId"] for each in ended).values()) == {1}
        assert {each["data"]["declineId"] for each in ended} <= declines.keys()
        expected = Counter(truth.ends.values())
        del expected[OPEN]
        assert Counter(each["data"]["reason"] for each in ended) == expected
    finally:
        office.engine.close()
