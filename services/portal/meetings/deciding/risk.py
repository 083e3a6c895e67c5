"""
How likely a room is to decline a request, learned from how it answered others. Pure.

Rooms' booking rules cannot be read. A rule shows itself by which requests are declined: those longer than two hours, those made
more than a month ahead, those of people outside a group. The estimate is naive Bayes: the odds of a decline, times for each
condition of the request how much more often it stood among what was declined than among what was accepted. All counts are
smoothed, so that one answer proves little; the condition that weighs most is given as the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.portal.meetings.deciding.choices import DOUBT_WORDS, Doubt
from shared.contracts.meeting_state import RoomState
from shared.contracts.room_tally import RoomTally
from shared.language.deciding.sentences import say
from shared.meetings.prompts import RoomLine
from shared.meetings.room_conditions import DURATIONS_MS, LEADS_MS, conditions_of, kind_of

ENOUGH_ANSWERS = 3
"""Of a room, before anything is said of it; and of a condition, before it counts."""
LIKELY = 0.5
"""From here on a decline is expected, and the room comes last."""
_PRIOR = (0.5, 2.0)
"""Declines and acceptances that a room is credited with before it has answered."""
_MOST = math.log(50.0)
"""What one condition can weigh, in natural logarithms of odds."""
_TELLING = math.log(2.0)
"""What it has to weigh to be named as the reason."""
_RANGES = {"duration": len(DURATIONS_MS) + 1, "lead": len(LEADS_MS) + 1, "hour": 8, "day": 7, "series": 2, "single": 2}
_DOUBTS = {
    "duration": Doubt.THIS_LENGTH,
    "lead": Doubt.THIS_FAR_AHEAD,
    "hour": Doubt.THIS_HOUR,
    "day": Doubt.THIS_WEEKDAY,
    "series": Doubt.SERIES,
    "single": Doubt.OFTEN_DECLINES,
}
_OWN = "own"
COUNT_WORDS = say("{words} ({declined} of {asked})")

OwnAnswers = Mapping[str, tuple[int, int]]
"""Room id → how many of the person's own requests it has declined, and accepted."""


@dataclass(frozen=True, slots=True)
class Risk:
    """How likely a room is to decline, and by what that shows."""

    probability: float
    doubt: Doubt | None = None
    """The reason; None while a decline is not expected."""
    declined: int = 0
    """Of the requests that the reason is about, how many it has declined."""
    asked: int = 0

    @property
    def words(self) -> str:
        """`has declined meetings of this length (9 of 9)`; "" while a decline is not expected."""
        if self.doubt is None:
            return ""
        return COUNT_WORDS.format(words=DOUBT_WORDS[self.doubt], declined=self.declined, asked=self.asked)


def count_own(lines: Iterable[RoomLine]) -> OwnAnswers:
    """Count how rooms have answered the person whose meetings these are."""
    found: dict[str, tuple[int, int]] = {}
    for line in lines:
        declined, accepted = found.get(line.room, (0, 0))
        found[line.room] = declined + (line.state is RoomState.DECLINED), accepted + (line.state is RoomState.ACCEPTED)
    return {room: counts for room, counts in found.items() if any(counts)}


def find_risks(
    tallies: Mapping[str, RoomTally], own: OwnAnswers, times: Sequence[tuple[int, int]], now_ms: int
) -> dict[str, Risk]:
    """
    Estimate for each room that has answered often enough how likely it is to decline a request that is made now.

    Args:
        tallies: Room id → how it answered.
        own: How it answered this person.
        times: Start and end of each date it is to be asked for, epoch milliseconds; more than one is a series.
        now_ms: Now.

    Returns:
        Room id → the greatest risk of any of the dates; rooms of which too little is known are left out.
    """
    wanted = [conditions_of(start_ms, end_ms, now_ms, series=len(times) > 1) for start_ms, end_ms in times]
    return {
        room: max(
            (estimate_risk(tally, conditions, own.get(room, (0, 0))) for conditions in wanted),
            key=lambda risk: risk.probability,
        )
        for room, tally in tallies.items()
        if wanted and _total(tally) >= ENOUGH_ANSWERS
    }


def estimate_risk(tally: RoomTally, conditions: Sequence[str], own: tuple[int, int] = (0, 0)) -> Risk:
    """
    Estimate how likely a room is to decline one request.

    Args:
        tally: How it answered.
        conditions: Of the request (`conditions_of`).
        own: How many requests of the same person it has declined, and accepted.
    """
    weights = {each: _weigh(tally, each) for each in conditions} | {_OWN: _weigh_own(tally, own)}
    odds = math.log((_count(tally.declined) + _PRIOR[0]) / (_count(tally.accepted) + _PRIOR[1])) + sum(weights.values())
    probability = 1.0 / (1.0 + math.exp(-odds))
    if probability < LIKELY:
        return Risk(probability)
    heaviest = max(weights, key=lambda each: weights[each])
    return _explain(probability, tally, heaviest if weights[heaviest] >= _TELLING else "", own)


def _explain(probability: float, tally: RoomTally, reason: str, own: tuple[int, int]) -> Risk:
    if reason == _OWN:
        return Risk(probability, Doubt.DECLINED_YOU, own[0], sum(own))
    declined, accepted = tally.declined.get(reason, 0), tally.accepted.get(reason, 0)
    if not _count(tally.accepted):
        return Risk(probability, Doubt.ALWAYS_DECLINES, _count(tally.declined), _count(tally.declined))
    doubt = _DOUBTS[kind_of(reason)] if reason else Doubt.OFTEN_DECLINES
    return Risk(probability, doubt, declined, declined + accepted)


def _weigh(tally: RoomTally, condition: str) -> float:
    """How much more often the condition stood among what was declined than among what was accepted, as a logarithm."""
    declined, accepted = tally.declined.get(condition, 0), tally.accepted.get(condition, 0)
    if declined + accepted < ENOUGH_ANSWERS:
        return 0.0
    credit = 1.0 / _RANGES[kind_of(condition)]
    among_declined = (declined + credit) / (_count(tally.declined) + 1.0)
    among_accepted = (accepted + credit) / (_count(tally.accepted) + 1.0)
    return _bounded(math.log(among_declined / among_accepted))


def _weigh_own(tally: RoomTally, own: tuple[int, int]) -> float:
    if not any(own):
        return 0.0
    others = (_count(tally.declined) + 0.5) / (_count(tally.accepted) + 0.5)
    return _bounded(math.log((own[0] + 0.5) / (own[1] + 0.5) / others))


def _bounded(weight: float) -> float:
    return max(-_MOST, min(weight, _MOST))


def _count(counts: Mapping[str, int]) -> int:
    return counts.get("", 0)


def _total(tally: RoomTally) -> int:
    return _count(tally.declined) + _count(tally.accepted)
