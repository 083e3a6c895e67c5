"""The protocol for "once" (design §4): fencing, restoring, reading and committing by a claim."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import pytest

from shared.contracts.topics import (
    COMMANDS,
    MEETING_STATE,
    NOTIFICATIONS_GOOGLE,
    NOTIFICATIONS_GRAPH,
    OBSERVATIONS,
    POSITION_KEY,
    ROOM_REJECTIONS,
    ROOM_STATUS,
    ROOM_STATUS_STATION,
    SYNC_WORKER,
)
from shared.errors import FencedError
from shared.ports.engine import Engine
from shared.ports.log import Claim, NewRecord, Record, StateChange
from tests.contract.children import Child
from tests.contract.conftest import PARTITIONS, EngineFactory
from tests.contract.deployments import Deployment, ManualClock, expire
from tests.contract.features import Features
from tests.contract.waiting import eventually

INPUT, DECISIONS, STATE = OBSERVATIONS.name, ROOM_REJECTIONS.name, MEETING_STATE.name


def seen(partition: int, value: str) -> NewRecord:
    return NewRecord(INPUT, partition, b"meeting", value.encode())


def decision(partition: int, value: str) -> NewRecord:
    return NewRecord(DECISIONS, partition, b"meeting", value.encode())


def values(records: Sequence[Record]) -> list[str | None]:
    return [record.value.decode() if record.value is not None else None for record in records]


def read_at_least(claim: Claim, count: int) -> list[Record]:
    """Read until `count` records have come."""
    found: list[Record] = []
    eventually(lambda: found.extend(claim.read(0.2)) or len(found) >= count, within_s=20)
    return found


def committed(engine: Engine, topic: str, partition: int) -> list[str | None]:
    return values(engine.log.read(topic, partition, 0))


def test_a_partition_never_claimed_is_empty_and_stands_at_the_beginning(engine: Engine, partition: int) -> None:
    engine.log.append([seen(partition, "one")])
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    assert (dict(claim.state), dict(claim.lost), claim.partition) == ({}, {}, partition)
    assert list(claim.tail()) == []
    assert values(read_at_least(claim, 1)) == ["one"]


def test_a_commit_appears_with_everything_in_it(engine: Engine, partition: int, features: Features) -> None:
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    status = NewRecord(ROOM_STATUS.name, partition, b"room", b"declined")
    offset = claim.commit([decision(partition, "no"), status], [StateChange(b"meeting", b"folded")], {INPUT: 7})
    eventually(
        lambda: (
            committed(engine, DECISIONS, partition) == ["no"]
            and committed(engine, ROOM_STATUS.name, partition) == ["declined"]
        ),
        within_s=features.visible_s + 5,
    )
    written = engine.log.read(STATE, partition, 0)
    assert [record.key for record in written] == [b"meeting", POSITION_KEY]
    assert written[-1].offset == offset


def test_decisions_stand_before_states_and_the_position_comes_last(
    engine: Engine, partition: int, clock: ManualClock, features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ticking() -> int:
        clock.at_ms += 1
        return clock.at_ms

    monkeypatch.setattr(clock, "now_ms", ticking)
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    claim.commit([decision(partition, "no")], [StateChange(b"meeting", b"folded")], {INPUT: 1})
    eventually(lambda: engine.log.read(DECISIONS, partition, 0), within_s=features.visible_s + 5)
    [decided] = engine.log.read(DECISIONS, partition, 0)
    state, position = engine.log.read(STATE, partition, 0)
    assert decided.appended_at_ms <= state.appended_at_ms <= position.appended_at_ms
    if features.engine == "embedded":  # its records carry the test's own time, which ticks at each asking
        assert decided.appended_at_ms < state.appended_at_ms < position.appended_at_ms


def test_whoever_claims_fences_the_one_before(
    engine: Engine, engine_factory: EngineFactory, partition: int, features: Features
) -> None:
    old = engine.log.claim(ROOM_STATUS_STATION, partition)
    old.commit([decision(partition, "first")], [StateChange(b"k", b"1")], {INPUT: 1})
    new = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    with pytest.raises(FencedError):
        old.commit([decision(partition, "stale")], [StateChange(b"k", b"stale")], {INPUT: 2})
    with pytest.raises(FencedError):
        old.commit([], [], {INPUT: 3})
    new.commit([decision(partition, "second")], [StateChange(b"k", b"2")], {INPUT: 2})
    eventually(lambda: committed(engine, DECISIONS, partition) == ["first", "second"], within_s=features.visible_s + 5)
    after = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert (dict(after.state), dict(after.position)) == ({b"k": b"2"}, {INPUT: 2})


def test_a_claim_by_another_process_fences_as_well(engine: Engine, partition: int, deployment: Deployment) -> None:
    old = engine.log.claim(ROOM_STATUS_STATION, partition)
    with Child(deployment, "claim", partition) as other:
        assert other.heard() == {"claimed": partition}
        with pytest.raises(FencedError):
            old.commit([decision(partition, "stale")], [], {INPUT: 1})
    assert committed(engine, DECISIONS, partition) == []


def test_two_services_claim_the_same_partition_number_in_peace(engine: Engine, partition: int) -> None:
    status = engine.log.claim(ROOM_STATUS_STATION, partition)
    sync = engine.log.claim(SYNC_WORKER, partition)
    status.commit([], [StateChange(b"whose", b"room-status")], {})
    sync.commit([], [StateChange(b"whose", b"sync-worker")], {})
    assert engine.log.claim(ROOM_STATUS_STATION, partition).state == {b"whose": b"room-status"}


def test_the_state_restored_is_the_fold_of_what_was_committed(
    engine: Engine, engine_factory: EngineFactory, partition: int
) -> None:
    chance = random.Random(20261120)
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    expected: dict[bytes, bytes] = {}
    for number in range(40):
        changes = [
            StateChange(f"m{chance.randrange(12)}".encode(), chance.choice([None, f"v{number}".encode(), b""]))
            for _ in range(chance.randrange(4))
        ]
        for change in changes:
            expected.pop(change.key, None)
            if change.value is not None:
                expected[change.key] = change.value
        claim.commit([], changes, {INPUT: number})
    restored = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert dict(restored.state) == expected
    assert POSITION_KEY not in restored.state


def test_reading_resumes_where_the_last_commit_stood(
    engine: Engine, engine_factory: EngineFactory, partition: int
) -> None:
    engine.log.append([seen(partition, str(number)) for number in range(10)])
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    records = read_at_least(claim, 10)
    claim.commit([], [], {INPUT: records[3].offset + 1})
    claim.close()
    resumed = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert dict(resumed.position) == {INPUT: records[3].offset + 1}
    assert values(read_at_least(resumed, 6)) == ["4", "5", "6", "7", "8", "9"]


def test_a_long_backlog_is_read_once_and_in_order(engine: Engine, partition: int) -> None:
    count = 1300
    for start in range(0, count, 100):
        engine.log.append([seen(partition, str(number)) for number in range(start, start + 100)])
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    assert values(read_at_least(claim, count)) == [str(number) for number in range(count)]


def test_a_topic_that_a_commit_does_not_name_keeps_its_position(
    engine: Engine, engine_factory: EngineFactory, partition: int
) -> None:
    claim = engine.log.claim(SYNC_WORKER, partition)
    claim.commit([], [], {COMMANDS.name: 3, NOTIFICATIONS_GRAPH.name: 5})
    claim.commit([], [], {COMMANDS.name: 4})
    resumed = engine_factory().log.claim(SYNC_WORKER, partition)
    assert dict(resumed.position) == {COMMANDS.name: 4, NOTIFICATIONS_GRAPH.name: 5}


def test_reading_keeps_the_order_of_each_input_topic(engine: Engine, partition: int) -> None:
    topics = (NOTIFICATIONS_GRAPH.name, NOTIFICATIONS_GOOGLE.name, COMMANDS.name)
    engine.log.append([NewRecord(topic, partition, b"mailbox", str(n).encode()) for n in range(20) for topic in topics])
    claim = engine.log.claim(SYNC_WORKER, partition)
    found = read_at_least(claim, 60)
    for topic in topics:
        assert values([record for record in found if record.topic == topic]) == [str(n) for n in range(20)]
    assert list(claim.read(0.1)) == [], "each record comes once"


def test_reading_wakes_for_input_of_this_and_of_other_processes(
    engine: Engine, engine_factory: EngineFactory, partition: int, deployment: Deployment
) -> None:
    """Each reading is one call, which input must end before its time is over."""
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    assert list(claim.read(0.1)) == []
    writer = threading.Timer(0.2, engine.log.append, args=([seen(partition, "another thread")],))
    writer.start()
    assert values(claim.read(10.0)) == ["another thread"]
    writer.join()
    engine.log.append([seen(partition, "same thread")])
    assert values(claim.read(10.0)) == ["same thread"]
    with Child(deployment, "append", INPUT, partition, "other", 1):
        assert values(claim.read(30.0)) == ["other-0"]


def test_gaps_between_offsets_are_passed_over(engine: Engine, engine_factory: EngineFactory, partition: int) -> None:
    source = engine.log.claim(SYNC_WORKER, partition)
    for number in range(5):
        source.commit([seen(partition, str(number))], [], {COMMANDS.name: number})
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    found = read_at_least(claim, 5)
    offsets = [record.offset for record in found]
    assert values(found) == ["0", "1", "2", "3", "4"]
    assert offsets != list(range(offsets[0], offsets[0] + 5)), "every commit leaves a gap"
    claim.commit([], [], {INPUT: offsets[1] + 1})
    resumed = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert values(read_at_least(resumed, 3)) == ["2", "3", "4"]
    assert dict(resumed.lost) == {}


def test_facts_may_go_to_any_partition(engine: Engine, partition: int, features: Features) -> None:
    elsewhere = PARTITIONS - 1
    engine.log.claim(SYNC_WORKER, partition).commit([seen(elsewhere, "far")], [], {})
    eventually(lambda: "far" in committed(engine, INPUT, elsewhere), within_s=features.visible_s + 5)


def test_the_tail_is_what_a_torn_predecessor_decided_and_did_not_record(
    engine: Engine, engine_factory: EngineFactory, partition: int, features: Features
) -> None:
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    claim.commit([decision(partition, "recorded")], [], {INPUT: 1})
    eventually(lambda: committed(engine, DECISIONS, partition) == ["recorded"], within_s=features.visible_s + 5)
    assert list(engine_factory().log.claim(ROOM_STATUS_STATION, partition).tail()) == []
    engine.log.append([decision(partition, "torn")])
    assert values(engine_factory().log.claim(ROOM_STATUS_STATION, partition).tail()) == ["torn"]


def test_input_that_retention_took_unread_is_counted_and_reading_goes_on_behind_it(
    engine: Engine, engine_factory: EngineFactory, partition: int, deployment: Deployment, clock: ManualClock
) -> None:
    for number in range(6):
        engine.log.append([seen(partition, str(number))])
        clock.at_ms += 1000
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    records = read_at_least(claim, 6)
    claim.commit([], [], {INPUT: records[2].offset})
    expire(deployment, engine, INPUT, partition, records[2].offset)
    unharmed = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert dict(unharmed.lost) == {}
    expire(deployment, engine, INPUT, partition, records[4].offset)
    assert engine.log.span(INPUT, partition).begin == records[4].offset
    harmed = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert dict(harmed.lost) == {INPUT: records[4].offset - records[2].offset}
    assert values(read_at_least(harmed, 2)) == ["4", "5"]


def test_a_claim_that_was_closed_is_taken_up_with_its_state(
    engine: Engine, engine_factory: EngineFactory, partition: int
) -> None:
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    claim.commit([], [StateChange(b"k", b"v")], {INPUT: 2})
    claim.close()
    again = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    assert (dict(again.state), dict(again.position)) == ({b"k": b"v"}, {INPUT: 2})
    again.commit([], [StateChange(b"k", None)], {})
    assert dict(engine.log.claim(ROOM_STATUS_STATION, partition).state) == {}
