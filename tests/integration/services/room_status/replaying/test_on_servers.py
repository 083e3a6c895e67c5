"""The same on real servers: Kafka's gaps, markers and aborted looks, and a Redis that is emptied, set back and mixed up."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from cli import rebuild
from services.room_status.replaying import recollection
from shared.contracts.topics import OBSERVATIONS, REPAIRS, ROOM_REJECTIONS, SYNC_WORKER
from shared.crypto.master import new_key, parse
from shared.engines.distributed import DistributedEngine, ensure_topics, open_engine
from shared.engines.distributed.clients import Clients, TopicPartition
from shared.runtime.clock import SystemClock
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying import losses
from tests.integration.services.room_status.replaying.recorder import Recorder
from tests.integration.services.room_status.replaying.test_repairs import request_repair

pytestmark = pytest.mark.kafka
PARTITIONS = 2
EVERYTHING = 1_000_000


@pytest.fixture(scope="module")
def engine(kafka_bootstrap: str, view_redis_url: str, registry_redis_url: str) -> Iterator[DistributedEngine]:
    prefix = f"replay-{uuid.uuid4().hex[:8]}."
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=PARTITIONS, replication=1)
    engine = open_engine(
        bootstrap=kafka_bootstrap,
        view_redis_url=view_redis_url,
        registry_redis_url=registry_redis_url,
        partitions=PARTITIONS,
        replication=1,
        prefix=prefix,
        master=parse(new_key()),
        clock=SystemClock(),
    )
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(SystemClock().now_ms())


@pytest.fixture(scope="module")
def recorder(engine: DistributedEngine, clock: ManualClock) -> Iterator[Recorder]:
    recorder = Recorder(engine, clock)
    recorder.claim()
    recorder.live(clock, turns=12)
    looks = engine.log.claim(SYNC_WORKER, 0)
    looks.commit([recorder._observation() for _ in range(6)], [], {})
    looks._producer.begin_transaction()  # a look whose commit fails was never there, and leaves a marker
    looks._decide([recorder._observation() for _ in range(6)], time.monotonic() + 5)
    engine.log.claim(SYNC_WORKER, 0).close()
    recorder.settle()
    yield recorder
    recorder.leave()


@pytest.mark.proves("M1", "D11")
def test_ranges_on_a_real_broker_give_the_same_byte_for_byte_also_during_traffic(recorder: Recorder) -> None:
    same = 0
    for turn in range(12):
        if turn % 3 == 2:
            recorder.observe(5)
            recorder.step()
        for partition, begin, end in recorder.ranges(1):
            for _ in range(2):
                found = recorder.compared(partition, begin, end)
                assert [*found.missing, *found.spurious, *found.differing, *found.repeated] == []
                same += len(found.same)
    recorder.settle()
    assert same > 50
    for partition in range(PARTITIONS):
        assert recorder.compared(partition, 0, EVERYTHING).equal


@pytest.mark.proves("D11")
def test_a_repair_on_a_real_broker_tells_nothing_that_the_topic_has(
    recorder: Recorder, engine: DistributedEngine
) -> None:
    before = [each.value for each in recollection.read_declines(engine.log, 0)]
    request_repair(recorder, *recorder.published(), times=2)
    end = engine.log.span(REPAIRS.name, 0).end
    while recorder.owners[0]._passed.get(REPAIRS.name, 0) < end:
        recorder.step()
    assert [each.value for each in recollection.read_declines(engine.log, 0)] == before


@pytest.mark.proves("D11", "M1")
def test_declines_that_the_brokers_lost_are_found_missing_and_told_again_with_the_same_bytes(
    recorder: Recorder, engine: DistributedEngine, kafka_bootstrap: str
) -> None:
    before = recollection.read_declines(engine.log, 0)
    lost = before[: len(before) // 2]
    admin: Any = Clients(kafka_bootstrap).admin()
    admin.delete_records({TopicPartition(engine.prefix + ROOM_REJECTIONS.name, 0): lost[-1].record.offset + 1})
    admin.close()
    assert [each.id for each in recollection.read_declines(engine.log, 0)] == [each.id for each in before[len(lost) :]]

    found = recorder.compared(0, 0, EVERYTHING)
    assert [each.id for each in found.missing] == [each.id for each in lost]
    request_repair(recorder, *(each.id for each in found.missing), times=2)
    end = engine.log.span(REPAIRS.name, 0).end
    while recorder.owners[0]._passed.get(REPAIRS.name, 0) < end:
        recorder.step()
    after = recollection.read_declines(engine.log, 0)
    assert sorted((each.id, each.value) for each in after) == sorted((each.id, each.value) for each in before)
    assert recorder.compared(0, 0, EVERYTHING).equal


@pytest.mark.proves("D11")
def test_the_redis_view_says_the_same_after_twenty_losses_of_four_kinds(
    recorder: Recorder, engine: DistributedEngine, clock: ManualClock, view_redis_url: str
) -> None:
    store = redis.Redis.from_url(view_redis_url)
    chance = random.Random(4)
    for kind in itertools.islice(itertools.cycle(("emptied", "older", "another's", "holes")), 20):
        keys = list(store.scan_iter(f"{engine.prefix}view:*"))
        copy = {key: store.dump(key) for key in keys}
        if kind == "older":
            losses.an_hour_passes(recorder, clock)
        if kind == "another's":
            losses.another_clusters(recorder)
        elif kind == "holes":
            store.delete(*chance.sample(keys, len(keys) // 2), f"{engine.prefix}view:reached")
        else:
            store.delete(
                *store.scan_iter(f"{engine.prefix}view:*")
            )  # what FLUSHALL does, on a server that others use too
        if kind == "older":
            for key, value in copy.items():
                store.restore(key, 0, value)
        assert not rebuild.compare_view(engine, recorder.keys_of, catch_up_s=0).equal, kind
        assert losses.rebuilt_by_owners(recorder, clock).equal, kind
    store.close()
    assert engine.log.span(OBSERVATIONS.name, 0).end > 0
