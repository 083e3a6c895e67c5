"""What a room answers to one request, from its rules alone."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world import Answer, Rules
from simulator.world.rules import Slot, Verdict, verdict

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def slot(*, day: int = 1, hours: int = 1, taken: bool = False) -> Slot:
    start_ms = NOW_MS + day * DAY_MS
    return Slot(start_ms, start_ms + hours * HOUR_MS, taken, key=start_ms)


def decide(rules: Rules, *slots: Slot, provider: str = "microsoft", foreign: bool = False) -> Verdict:
    return verdict(rules, slots, organizer="ann@c.test", foreign=foreign, now_ms=NOW_MS, provider=provider)


@pytest.mark.parametrize(
    ("rules", "asked", "answer", "reason"),
    [
        ({}, slot(), Answer.ACCEPTED, "free"),
        ({}, slot(taken=True), Answer.DECLINED, "conflict"),
        ({"allow_conflicts": True}, slot(taken=True), Answer.ACCEPTED, "free"),
        ({"mode": "never"}, slot(), None, "never-answers"),
        ({"mode": "manual"}, slot(taken=True), None, "awaits-approval"),
        ({"mode": "forbid"}, slot(), Answer.DECLINED, "forbidden"),
        ({"mode": "group", "group": frozenset({"ann@c.test"})}, slot(), Answer.ACCEPTED, "free"),
        ({"mode": "group", "group": frozenset({"bob@c.test"})}, slot(), Answer.DECLINED, "not-in-group"),
        ({"max_duration_minutes": 60}, slot(hours=1), Answer.ACCEPTED, "free"),
        ({"max_duration_minutes": 59}, slot(hours=1), Answer.DECLINED, "too-long"),
        ({"max_lead_days": 2}, slot(day=2), Answer.ACCEPTED, "free"),
        ({"max_lead_days": 2}, slot(day=3), Answer.DECLINED, "too-early"),
        ({}, slot(day=-1), Answer.DECLINED, "past"),
    ],
)
def test_one_date_is_decided_by_the_rules(rules: Any, asked: Slot, answer: Answer | None, reason: str) -> None:
    assert decide(Rules(**rules), asked) == Verdict(answer, reason)


def test_right_is_checked_before_conflict() -> None:
    assert decide(Rules(mode="group"), slot(taken=True)).reason == "not-in-group"
    assert decide(Rules(), slot(taken=True), foreign=True).reason == "foreign"


@pytest.mark.parametrize(
    ("provider", "taken", "dates", "answer"),
    [
        ("microsoft", 1, 10, Answer.DECLINED),
        ("google", 5, 10, Answer.ACCEPTED),
        ("google", 6, 10, Answer.DECLINED),
        ("google", 8, 20, Answer.ACCEPTED),
        ("google", 9, 20, Answer.DECLINED),
    ],
)
def test_series_with_conflicts_follows_the_providers_limits(
    provider: str, taken: int, dates: int, answer: Answer
) -> None:
    slots = [slot(day=day, taken=day <= taken) for day in range(1, dates + 1)]
    found = decide(Rules(), *slots, provider=provider)
    assert found.answer == answer
    accepted = answer == Answer.ACCEPTED
    assert found.declined_dates == (tuple(one.key for one in slots[:taken]) if accepted else ())


def test_room_may_set_its_own_limit_of_conflicts() -> None:
    slots = [slot(day=day, taken=day <= 2) for day in range(1, 11)]
    found = decide(Rules(series_max_conflicts=2, series_conflict_share=0.2), *slots)
    assert (found.answer, len(found.declined_dates)) == (Answer.ACCEPTED, 2)
