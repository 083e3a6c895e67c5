"""When a pending room can be expected to answer, by how long its answers took before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.portal.meetings.deciding.health import span_words
from shared.domain.instants import SECOND_MS
from shared.language.deciding.sentences import say
from shared.meetings.room_conditions import WAITS_S

ENOUGH_ANSWERS = 5
"""Fewer say nothing of what is usual."""
USUAL_SHARE = 0.9
"""So many of a room's answers came within what is called usual."""
UNUSUAL_TIMES = 2
"""A room that has been silent for so many times the usual is called unusual."""
USUAL_WORDS = say("Usually answers within {usual}.")
UNUSUAL_WORDS = say("Usually answers within {usual}; silent for {silent}, unusual.")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What can be said of a room that has not answered yet."""

    usual_ms: int
    """Nine of ten of its answers came within this time."""
    silent_ms: int
    """For how long it has been asked."""

    @property
    def unusual(self) -> bool:
        """Whether it has been silent for much longer than it usually is."""
        return self.silent_ms > UNUSUAL_TIMES * self.usual_ms

    @property
    def words(self) -> str:
        """`Usually answers within 5 s; silent for 9 min, unusual.`"""
        usual = span_words(self.usual_ms)
        if self.unusual:
            return UNUSUAL_WORDS.format(usual=usual, silent=span_words(self.silent_ms))
        return USUAL_WORDS.format(usual=usual)


def forecast(waits: Mapping[str, int], silent_ms: int) -> Forecast | None:
    """
    Say what is usual for a room.

    Args:
        waits: How many of its answers came within so many seconds (`RoomTally.waits`).
        silent_ms: For how long it has been asked now.

    Returns:
        None while too few of its answers were waited for.
    """
    usual_s = usual_wait_s(waits)
    return None if usual_s is None else Forecast(usual_s * SECOND_MS, max(silent_ms, 0))


def usual_wait_s(waits: Mapping[str, int]) -> int | None:
    """Within how many seconds nine of ten answers came; None while there are too few."""
    total, reached = sum(waits.values()), 0
    if total < ENOUGH_ANSWERS:
        return None
    for end_s in WAITS_S:
        reached += waits.get(str(end_s), 0)
        if reached >= USUAL_SHARE * total:
            return end_s
    return WAITS_S[-1]
