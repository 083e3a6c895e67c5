"""Replaying recorded observations on the embedded engine: the same declines, byte for byte, and nothing written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from services.room_status.deciding.fold import Change, fold
from services.room_status.replaying import recollection
from services.room_status.replaying.history import source_offset
from services.room_status.replaying.replay import identity
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.envelope import decode
from shared.contracts.topics import MEETING_STATE, OBSERVATIONS, TOPICS
from shared.crypto.meetings import StoredMeeting
from shared.domain.instants import DAY_MS
from shared.domain.keys import TenantKeys
from shared.ports.log import NewRecord
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying.recorder import Recorder
from tests.support.builders import NOW_MS


def written(recorder: Recorder) -> dict[tuple[str, int], int]:
    """Where every partition of every topic ends."""
    log = recorder.engine.log
    return {(t.name, p): log.span(t.name, p).end for t in TOPICS for p in range(log.partitions)}


@pytest.mark.proves("M1", "D11")
def test_any_range_gives_the_same_declines_byte_for_byte_twice_in_a_row(recorder: Recorder, clock: ManualClock) -> None:
    recorder.live(clock, turns=24)
    states = [record.value for record in recorder.engine.log.read(MEETING_STATE.name, 0, 0, limit=5000)]
    assert None in states, "nothing was swept"
    before, view = written(recorder), recorder.engine.view.digest()
    same = 0
    for partition, begin, end in recorder.ranges(50):
        for _ in range(2):
            found = recorder.compared(partition, begin, end)
            assert found.equal, (partition, begin, end, found)
            same += len(found.same)
    assert same > 500
    assert (written(recorder), recorder.engine.view.digest()) == (before, view)


@pytest.mark.proves("M1", "D11")
def test_ranges_replayed_during_live_traffic_give_the_same(recorder: Recorder) -> None:
    """What room_status has not come to yet is told apart from what it forgot."""
    behind = 0
    for _ in range(20):
        recorder.observe(8)
        if recorder.chance.random() < 0.4:
            recorder.step()
        for partition, begin, _ in recorder.ranges(2):
            found = recorder.compared(partition, begin, 1_000_000)
            assert [*found.missing, *found.spurious, *found.differing, *found.repeated] == []
            behind += len(found.undecided)
    assert behind, "no replay met an owner that was behind"


@pytest.mark.proves("M1")
def test_changed_rules_show_exactly_the_differences_and_touch_nothing(recorder: Recorder, clock: ManualClock) -> None:
    def quiet_aare(meeting: StoredMeeting, seen: CopyObservation, *, keys: TenantKeys) -> Change | None:
        """Never announces one room."""
        change = fold(meeting, seen, keys=keys)
        kept = [each for each in change.declines if each.data.room_id != "r-aare"] if change else []
        return replace(change, declines=tuple(kept)) if change else None

    before = written(recorder)
    everything = recollection.read_declines(recorder.engine.log, 0)
    for _, begin, end in recorder.ranges(10):
        found = recorder.compared(0, begin, end, rules=quiet_aare)
        here = [each for each in everything if begin <= (each.source or 0) < end]
        aare = [each.id for each in here if identity(each)["room"] == "r-aare"]
        assert [each.id for each in found.spurious] == aare
        assert [each.id for each in found.same] == [each.id for each in here if each.id not in aare]
        assert [*found.missing, *found.differing] == []
        assert found.equal is (not aare)
    assert written(recorder) == before


def test_a_destroyed_key_leaves_its_declines_out_and_the_others_equal(recorder: Recorder) -> None:
    gone, kept = recorder.tenants
    recorder.engine.keyring.destroy_data(gone)
    found = recorder.compared(0, 0, 1_000_000)
    assert found.equal
    assert {each.tenant for each in found.same} == {kept}
    assert {each.tenant for each in found.erased} == {gone}


def test_a_state_that_compaction_took_refuses_the_range_and_not_a_later_one(recorder: Recorder) -> None:
    log = recorder.engine.log
    states = [record for record in log.read("meeting-state", 0, 0, limit=5000) if record.key != b"position"]
    often = next(key for key, count in Counter(record.key for record in states).items() if count >= 3)
    (_, lost, then) = [record for record in states if record.key == often][:3]
    log._records.remove("meeting-state", 0, [lost.offset])  # type: ignore[attr-defined]
    cut = source_offset(decode(then.value or b"").id)
    with pytest.raises(recollection.PastLostError, match="begin later"):
        recorder.compared(0, cut, 1_000_000)
    assert recorder.compared(0, cut + 1, 1_000_000).equal


def test_observations_that_retention_took_refuse_the_range(recorder: Recorder) -> None:
    log = recorder.engine.log
    first, second = log.read("observations", 0, 10, limit=2)
    log._records.remove("observations", 0, list(range(second.offset)), first=second.offset)  # type: ignore[attr-defined]
    with pytest.raises(recollection.PastLostError, match="lost to retention"):
        recorder.compared(0, first.offset, 1_000_000)
    assert recorder.compared(0, second.offset, 1_000_000).equal
    with pytest.raises(recollection.PastLostError, match="lost to retention"):
        recollection.replay(log, 0, second.offset, 1_000_000, keys_of=recorder.keys_of, since_ms=NOW_MS + 1)


def test_a_sweep_says_how_far_its_owner_had_come(recorder: Recorder, clock: ManualClock) -> None:
    """Else a replay would forget a meeting before observations that its owner passed while it knew it."""
    log, owner = recorder.engine.log, recorder.owners[0]
    same = log.read(OBSERVATIONS.name, 0, 0, limit=5000)[-1]
    log.append([NewRecord(OBSERVATIONS.name, 0, same.key, same.value)])
    recorder.settle()
    clock.at_ms += 4 * DAY_MS
    owner.step()
    assert recollection.first_unpassed_offset(log, 0) == log.span(OBSERVATIONS.name, 0).end
