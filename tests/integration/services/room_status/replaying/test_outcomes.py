"""How declines ended is published once each, replays the same, and is published again by its owner alone when the topic lost it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from services.room_status.deciding import decision, fold, publications, sealing
from services.room_status.replaying import recollection
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import ROOM_OUTCOMES
from shared.engines.embedded import EmbeddedEngine
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying.conftest import PARTITIONS, Roomsync
from tests.integration.services.room_status.replaying.recorder import Recorder
from tests.integration.services.room_status.replaying.test_repairs import request_repair

ALL = 1_000_000


def declines_ended(recorder: Recorder) -> Counter[str]:
    """Decline id → how often it ended."""
    events = (msgspec.json.decode(each.value, type=RoomOutcome) for each in recorder.outcomes())
    return Counter(event.data.decline_id for event in events)


def assert_replayed(recorder: Recorder, *, ranges: int = 6) -> None:
    for partition, begin, end in [*recorder.ranges(ranges), *((number, 0, ALL) for number in range(PARTITIONS))]:
        found = recorder.compared_outcomes(partition, begin, end)
        assert found.equal, (partition, begin, end, found)


@pytest.mark.proves("D14", "M1")
def test_each_decline_ends_once_and_any_range_gives_the_same_ends(recorder: Recorder) -> None:
    ended = declines_ended(recorder)
    assert len(ended) > 10
    assert set(ended.values()) == {1}
    assert ended.keys() <= set(recorder.published())
    reasons = {msgspec.json.decode(each.value, type=RoomOutcome).data.reason for each in recorder.outcomes()}
    assert {"past", "accepted", "moved", "cancelled", "rebooked"} <= reasons
    assert_replayed(recorder)


@pytest.mark.proves("D11", "D14")
def test_ends_that_the_topic_lost_are_published_again_with_the_same_bytes_and_once(
    recorder: Recorder, engine: EmbeddedEngine
) -> None:
    before = {each.id: each.value for each in recorder.outcomes()}
    lost = list(recollection.read_outcomes(engine.log, 0))[1:20:3]
    assert any(each.source is None for each in lost), "none that the clock made is among them"
    for each in lost:
        engine.log._records.remove(ROOM_OUTCOMES.name, 0, [each.record.offset])  # type: ignore[union-attr]
    found = recorder.compared_outcomes(0, 0, ALL)
    assert {each.id for each in found.missing} == {each.id for each in lost}
    request_repair(recorder, *(each.id for each in lost), times=2)
    for _ in range(2):
        recorder.step()
    recorder.claim()
    request_repair(recorder, *before)
    recorder.step()
    assert Counter(each.id for each in recorder.outcomes()) == Counter(before.keys())
    assert {each.id: each.value for each in recorder.outcomes()} == before
    assert_replayed(recorder, ranges=0)


@pytest.mark.proves("D11", "D14")
def test_replay_says_which_ends_are_missing(recorder: Recorder, engine: EmbeddedEngine, roomsync: Roomsync) -> None:
    del recorder
    lost = recollection.read_outcomes(engine.log, 1)[0]
    engine.log._records.remove(ROOM_OUTCOMES.name, 1, [lost.record.offset])  # type: ignore[union-attr]
    code, text = roomsync("replay", "--from", "2026-09-21T00:00:00Z", "--json", "--wait-s", "0")
    found = msgspec.json.decode(text)
    assert (code, found["equal"], [each["id"] for each in found["outcomes"]["missing"]]) == (1, False, [lost.id])


def _nothing_ends(record: Any, *_: object, **__: object) -> tuple[Any, tuple[()]]:
    return record, ()


@pytest.mark.proves("D14", "M1")
def test_what_earlier_rules_decided_is_not_missing_and_their_open_declines_end_once(
    engine: EmbeddedEngine, clock: ManualClock
) -> None:
    recorder = Recorder(engine, clock)
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(publications, "RULES_VERSION", 2)
        earlier.setattr(sealing, "RULES_VERSION", 2)
        earlier.setattr(decision, "close_past", _nothing_ends)
        earlier.setattr(fold, "close_past", _nothing_ends)
        earlier.setattr(fold, "close_answered", _nothing_ends)
        recorder.claim()
        recorder.live(clock, turns=8)
        recorder.leave()
    assert recorder.outcomes() == []
    told_before = set(recorder.published())
    recorder.claim()
    recorder.live(clock, turns=8)
    ended = declines_ended(recorder)
    assert set(ended.values()) == {1}
    assert told_before & ended.keys(), "no decline of before the upgrade has ended"
    assert_replayed(recorder)
