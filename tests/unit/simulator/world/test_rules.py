"""What a room answers to one request, from its rules alone."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world import AttendeeAnswer, RoomRules
from simulator.world.rules import Slot, Verdict, verdict

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def slot(*, day: int = 1, hours: int = 1, taken: bool = False) -> Slot:
    start_ms = NOW_MS + day * DAY_MS
    return Slot(start_ms, start_ms + hours * HOUR_MS, taken, key=start_ms)


def decide(rules: RoomRules, *slots: Slot, provider: str = "microsoft", foreign: bool = False) -> Verdict:
    return verdict(rules, slots, organizer="ann@c.test", foreign=foreign, now_ms=NOW_MS, provider=provider)


@pytest.mark.parametrize(
    ("rules", "asked", "answer", "reason"),
    [
        ({}, slot(), AttendeeAnswer.ACCEPTED, "free"),
        ({}, slot(taken=True), AttendeeAnswer.DECLINED, "conflict"),
        ({"allow_conflicts": True}, slot(taken=True), AttendeeAnswer.ACCEPTED, "free"),
        ({"mode": "never"}, slot(), None, "never-answers"),
        ({"mode": "manual"}, slot(taken=True), None, "awaits-approval"),
        ({"mode": "forbid"}, slot(), AttendeeAnswer.DECLINED, "forbidden"),
        ({"mode": "group", "group": frozenset({"ann@c.test"})}, slot(), AttendeeAnswer.ACCEPTED, "free"),
        ({"mode": "group", "group": frozenset({"bob@c.test"})}, slot(), AttendeeAnswer.DECLINED, "not-in-group"),
        ({"max_duration_minutes": 60}, slot(hours=1), AttendeeAnswer.ACCEPTED, "free"),
        ({"max_duration_minutes": 59}, slot(hours=1), AttendeeAnswer.DECLINED, "too-long"),
        ({"max_lead_days": 2}, slot(day=2), AttendeeAnswer.ACCEPTED, "free"),
        ({"max_lead_days": 2}, slot(day=3), AttendeeAnswer.DECLINED, "too-early"),
        ({}, slot(day=-1), AttendeeAnswer.DECLINED, "past"),
    ],
)
def test_one_date_is_decided_by_the_rules(rules: Any, asked: Slot, answer: AttendeeAnswer | None, reason: str) -> None:
    assert decide(RoomRules(**rules), asked) == Verdict(answer, reason)


def test_right_is_checked_before_conflict() -> None:
    assert decide(RoomRules(mode="group"), slot(taken=True)).reason == "not-in-group"
    assert decide(RoomRules(), slot(taken=True), foreign=True).reason == "foreign"


@pytest.mark.parametrize(
    ("provider", "taken", "dates", "answer"),
    [
        ("microsoft", 1, 10, AttendeeAnswer.DECLINED),
        ("google", 5, 10, AttendeeAnswer.ACCEPTED),
        ("google", 6, 10, AttendeeAnswer.DECLINED),
        ("google", 8, 20, AttendeeAnswer.ACCEPTED),
        ("google", 9, 20, AttendeeAnswer.DECLINED),
    ],
)
def test_series_with_conflicts_follows_the_providers_limits(
    provider: str, taken: int, dates: int, answer: AttendeeAnswer
) -> None:
    slots = [slot(day=day, taken=day <= taken) for day in range(1, dates + 1)]
    found = decide(RoomRules(), *slots, provider=provider)
    assert found.answer == answer
    accepted = answer == AttendeeAnswer.ACCEPTED
    assert found.declined_dates == (tuple(one.key for one in slots[:taken]) if accepted else ())


def test_room_may_set_its_own_limit_of_conflicts() -> None:
    slots = [slot(day=day, taken=day <= 2) for day in range(1, 11)]
    found = decide(RoomRules(series_max_conflicts=2, series_conflict_share=0.2), *slots)
    assert (found.answer, len(found.declined_dates)) == (AttendeeAnswer.ACCEPTED, 2)
