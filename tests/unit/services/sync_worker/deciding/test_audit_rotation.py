"""Each mailbox has its turn once a cycle, and what all ask stays inside the budget of their organisation."""

from __future__ import annotations

from collections import Counter

import pytest

from services.sync_worker.deciding.audit_rotation import AuditRotation
from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.builders import NOW_MS

pytestmark = pytest.mark.proves("M5")
CYCLE_MS = HOUR_MS
PEOPLE = [Mailbox("t1", f"m{number}") for number in range(60)]


def played(
    rotation: AuditRotation, minutes: int, calls: int, people: list[Mailbox] = PEOPLE
) -> list[tuple[int, Mailbox]]:
    """When whose audit began, a second a step; each asks so many calls."""
    began = []
    for at_ms in range(NOW_MS, NOW_MS + minutes * MINUTE_MS, SECOND_MS):
        rotation.release(at_ms)
        for mailbox in people:
            if rotation.admit(mailbox, at_ms):
                rotation.end(mailbox, calls, at_ms)
                began.append((at_ms, mailbox))
    return began


def test_each_mailbox_has_one_turn_a_cycle_and_they_are_spread_over_it() -> None:
    began = played(AuditRotation(cycle_ms=CYCLE_MS, calls_per_minute=1000), 2 * 60, calls=3)
    assert set(Counter(mailbox for _, mailbox in began).values()) == {2}
    per_quarter = Counter((at_ms - NOW_MS) // (15 * MINUTE_MS) for at_ms, _ in began)
    assert max(per_quarter.values()) <= 2 * len(PEOPLE) // 4


def test_a_takeover_changes_no_turn() -> None:
    first, second = (AuditRotation(cycle_ms=CYCLE_MS, calls_per_minute=60) for _ in range(2))
    turns = [first.turn_ms(mailbox, NOW_MS) for mailbox in PEOPLE]
    later = [second.turn_ms(mailbox, NOW_MS + 5 * MINUTE_MS) or 0 for mailbox in PEOPLE]
    assert all(turn in (before, (before or 0) + CYCLE_MS) for turn, before in zip(later, turns, strict=True))


def test_calls_beyond_the_budget_make_the_cycle_longer_and_nobody_is_left_out() -> None:
    rotation = AuditRotation(cycle_ms=CYCLE_MS, calls_per_minute=4)  # a cycle's audits need 600 calls, and have 240
    began = played(rotation, 4 * 60, calls=10)
    assert len(began) * 10 <= 4 * 4 * 60 + 10
    assert {mailbox for _, mailbox in began} == {*PEOPLE}
    assert len(began) * 10 >= 0.9 * 4 * 4 * 60, "and the budget is used"
    for first in range(0, len(began) - 12, 12):
        spent_ms = began[first + 12][0] - began[first][0]
        assert spent_ms >= 12 * 10 / 4 * MINUTE_MS * 0.9


def test_organisations_wait_for_their_own_budget_alone() -> None:
    rotation = AuditRotation(cycle_ms=CYCLE_MS, calls_per_minute=1)
    other = [Mailbox("t2", "m1")]
    began = played(rotation, 60, calls=30, people=[*PEOPLE, *other])
    assert Counter(mailbox.tenant for _, mailbox in began)["t2"] == 1
    assert rotation.waiting() > 0


def test_who_leaves_the_queue_costs_nobody_a_turn() -> None:
    rotation = AuditRotation(cycle_ms=CYCLE_MS, calls_per_minute=1)
    first, gone, last = PEOPLE[:3]
    at_ms = NOW_MS + CYCLE_MS
    for mailbox in PEOPLE[:3]:
        rotation.turn_ms(mailbox, NOW_MS)
    assert [rotation.admit(mailbox, at_ms) for mailbox in (first, gone, last)] == [True, False, False]
    rotation.end(first, 2, at_ms)
    rotation.forget(gone)
    assert rotation.release(at_ms + MINUTE_MS) == []
    assert rotation.release(at_ms + 2 * MINUTE_MS) == [last]
    assert rotation.admit(last, at_ms + 2 * MINUTE_MS)


def test_a_cycle_of_nought_has_no_turns() -> None:
    rotation = AuditRotation(cycle_ms=0, calls_per_minute=60)
    assert rotation.turn_ms(PEOPLE[0], NOW_MS) is None
    assert not rotation.admit(PEOPLE[0], NOW_MS)


def test_who_has_left_has_no_turn() -> None:
    rotation = AuditRotation(cycle_ms=CYCLE_MS, calls_per_minute=60)
    turn_ms = rotation.turn_ms(PEOPLE[0], NOW_MS)
    assert turn_ms is not None
    rotation.forget(PEOPLE[0])
    assert rotation.turn_ms(PEOPLE[0], turn_ms + 1) == turn_ms + CYCLE_MS
