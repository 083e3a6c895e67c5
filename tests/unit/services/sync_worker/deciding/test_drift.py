"""What differs between held references and the calendar, by kind."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from services.sync_worker.deciding.drift import DriftKind, find_drift
from shared.contracts.calendar_state import EventReference
from shared.domain.attendees import Answer
from shared.domain.instants import HOUR_MS
from shared.domain.sighting import EventKind
from tests.support.builders import NOW_MS

pytestmark = pytest.mark.proves("M5")
EVENT = EventReference(
    event_id="e1", uid="m1", kind=EventKind.SINGLE, start_ms=NOW_MS + HOUR_MS, end_ms=NOW_MS + 2 * HOUR_MS,
    is_organizer=True, rooms={"r1": Answer.ACCEPTED}, version="7",
)  # fmt: skip
MASTER = msgspec.structs.replace(EVENT, event_id="s1", kind=EventKind.MASTER)
DATE = msgspec.structs.replace(EVENT, event_id="d1", kind=EventKind.OCCURRENCE, master_id="s1", slot="1", rooms=None)
KINDS = {
    DriftKind.TIME: {"start_ms": NOW_MS + HOUR_MS + 1},
    DriftKind.ROOM: {"rooms": {"r2": Answer.ACCEPTED}},
    DriftKind.ANSWER: {"rooms": {"r1": Answer.DECLINED}},
    DriftKind.IDENTITY: {"uid": "m2"},
}


def drift(held: list[EventReference], shown: list[EventReference]) -> Counter[DriftKind]:
    return find_drift({one.event_id: one for one in held}, {one.event_id: one for one in shown}, NOW_MS).found


@pytest.mark.parametrize("kind", KINDS)
def test_a_date_that_differs_is_of_one_kind(kind: DriftKind) -> None:
    assert drift([msgspec.structs.replace(EVENT, **KINDS[kind])], [EVENT]) == {kind: 1}


def test_what_is_not_held_is_missing_and_what_is_held_alone_is_extra() -> None:
    assert drift([], [EVENT]) == {DriftKind.MISSING: 1}
    assert drift([EVENT], []) == {DriftKind.EXTRA: 1}


def test_another_version_or_another_crowd_is_no_drift() -> None:
    assert drift([msgspec.structs.replace(EVENT, version="6", seats=4, people={"p": Answer.NONE})], [EVENT]) == {}


def test_a_date_without_rooms_of_its_own_has_those_of_its_series() -> None:
    plain = msgspec.structs.replace(DATE, rooms={"r1": Answer.ACCEPTED})
    assert drift([MASTER, plain], [MASTER, DATE]) == {}
    assert drift([msgspec.structs.replace(MASTER, rooms={}), DATE], [MASTER, DATE]) == {DriftKind.ROOM: 1}


def test_what_is_over_is_not_compared() -> None:
    over = msgspec.structs.replace(EVENT, start_ms=NOW_MS - HOUR_MS, end_ms=NOW_MS)
    assert find_drift({"e1": over}, {"e1": EVENT}, NOW_MS).compared == 0
    assert find_drift({"e1": EVENT}, {"e1": EVENT}, NOW_MS).compared == 1
