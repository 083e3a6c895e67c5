"""Every connection is asked once a round, and those that came together are not asked together."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from shared.runtime.http_rounds import APART_S, EVERY_S, RoundRobin, Spaced

HALF_OPEN = 200
PORTIONS = round(EVERY_S / APART_S)


def walked(rounds: RoundRobin[int], began: float, seconds: float) -> list[list[int]]:
    """The portions of a loop that is woken when it asks to be."""
    portions, now = [], began
    while now < began + seconds:
        portions.append(rounds.due(now))
        now += max(rounds.wait_s(now), 1e-6)
    return portions


def test_each_portion_is_small_and_each_member_named_once_a_round() -> None:
    portions = walked(RoundRobin(lambda: range(HALF_OPEN)), 5.0, 3 * EVERY_S)

    assert max(map(len, portions)) <= HALF_OPEN / PORTIONS + 1
    named = Counter(number for portion in portions for number in portion)
    assert named.keys() == set(range(HALF_OPEN))
    assert set(named.values()) <= {2, 3}


def test_who_comes_during_a_round_is_named_in_the_next() -> None:
    members = [*range(10)]
    rounds = RoundRobin(lambda: members)
    began = 5.0
    rounds.due(began)
    members.append(10)
    members.remove(3)  # still named in this round: whoever asks it sees that it has gone

    named = [number for portion in walked(rounds, began, 2 * (EVERY_S + APART_S)) for number in portion]
    assert named.count(10) == 1
    assert named.count(3) == 1


def test_a_loop_that_was_kept_for_long_names_the_rest_at_once_and_begins_anew() -> None:
    rounds = RoundRobin(lambda: range(HALF_OPEN))
    assert rounds.due(5.0) == []
    assert len(rounds.due(5.0 + EVERY_S / 2)) == HALF_OPEN / 2
    assert len(rounds.due(90.0)) == HALF_OPEN / 2
    assert rounds.due(90.0) == []
    assert len(rounds.due(90.0 + EVERY_S / 2)) == HALF_OPEN / 2


@pytest.mark.parametrize(("count", "portions"), [(0, 0), (1, 1), (3, 3), (HALF_OPEN, PORTIONS)])
def test_the_loop_is_woken_no_oftener_than_there_is_somebody_to_ask(count: int, portions: int) -> None:
    woken = walked(RoundRobin(lambda: range(count)), 5.0, EVERY_S)
    assert len(woken) <= portions + 2


def test_those_who_wait_are_handed_out_one_at_a_time_and_apart() -> None:
    late: Spaced[int] = Spaced(0.5)
    assert (late.due(5.0), late.wait_s(5.0)) == (None, math.inf)
    for number in range(3):
        late.add(number)

    assert (late.wait_s(5.0), late.due(5.0)) == (0.0, 0)
    assert (late.wait_s(5.25), late.due(5.25)) == (0.25, None)
    assert (late.due(5.5), late.due(5.5), late.due(6.0)) == (1, None, 2)
    assert (late.due(7.0), late.wait_s(7.0)) == (None, math.inf)


def test_who_is_added_again_and_again_waits_once_at_the_same_place() -> None:
    late: Spaced[str] = Spaced(0.5)
    for _ in range(3):
        late.add("first")
        late.add("second")

    assert [late.due(5.0 + turn) for turn in range(3)] == ["first", "second", None]
