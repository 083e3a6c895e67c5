"""Brokers away and back: errors in time, no wedged producer, no commit that half happened."""

from __future__ import annotations

import os
import time

import pytest

from deploy.local.kafka import Brokers
from shared.contracts.topics import OBSERVATIONS, ROOM_REJECTIONS, ROOM_STATUS_STATION
from shared.engines.distributed import DistributedEngine
from shared.errors import FencedError, LogUnavailableError
from shared.ports.log import NewRecord, StateChange
from tests.integration.shared.engines.distributed.conftest import Opened, eventually

# The client leaves the sockets of refused connections to the garbage collector.
pytestmark = [pytest.mark.kafka, pytest.mark.filterwarnings("ignore::ResourceWarning")]

BUDGET_S = 2.2
SCHEDULING_S = 0.4  # of a machine that does other things as well


def hint(partition: int, value: bytes = b"hint") -> NewRecord:
    return NewRecord(OBSERVATIONS.name, partition, b"mailbox", value)


def appends(engine: DistributedEngine, partition: int) -> bool:
    try:
        engine.log.append([hint(partition, b"again")])
    except LogUnavailableError:
        return False
    return True


@pytest.mark.proves("D4")
def test_a_frozen_broker_is_an_error_in_time_and_forgotten_once_it_wakes(
    own_brokers: Brokers, opened: Opened, partition: int
) -> None:
    engine = opened()
    engine.log.append([hint(partition)])
    engine.log.topic_id(OBSERVATIONS.name)
    own_brokers.freeze()
    try:
        for _ in range(3):  # an idempotent producer would never send again after the first of these
            began = time.monotonic()
            with pytest.raises(LogUnavailableError):
                engine.log.append([hint(partition)])
            assert time.monotonic() - began < BUDGET_S + SCHEDULING_S
        began = time.monotonic()
        with pytest.raises(LogUnavailableError):
            engine.log.probe()
        assert time.monotonic() - began < 1.0 + SCHEDULING_S
        for ask in (
            lambda: engine.log.read(OBSERVATIONS.name, partition, 0),
            lambda: engine.log.topic_id(OBSERVATIONS.name),
            lambda: engine.log.span(OBSERVATIONS.name, partition),
        ):
            with pytest.raises(LogUnavailableError):
                ask()
    finally:
        own_brokers.thaw()
    eventually(lambda: appends(engine, partition))
    after = [b"after-%d" % number for number in range(5)]
    for value in after:
        engine.log.append([hint(partition, value)])
    engine.log.probe()
    values = [record.value for record in engine.log.read(OBSERVATIONS.name, partition, 0)]
    assert values[0] == b"hint"
    assert [value for value in dict.fromkeys(values) if value in after] == after  # a retried one may stand there twice


def test_many_records_at_once_share_one_budget(own_brokers: Brokers, opened: Opened, partition: int) -> None:
    engine = opened()
    own_brokers.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(LogUnavailableError):
            engine.log.append([hint(partition) for _ in range(200)])
        assert time.monotonic() - began < BUDGET_S + SCHEDULING_S
    finally:
        own_brokers.thaw()
    eventually(lambda: appends(engine, partition))


@pytest.mark.proves("D4")
def test_a_process_starts_while_kafka_is_down_and_works_once_it_is_up(
    own_brokers: Brokers, opened: Opened, partition: int
) -> None:
    own_brokers.kill()
    try:
        engine = opened()
        began = time.monotonic()
        with pytest.raises(LogUnavailableError):
            engine.log.append([hint(partition)])
        with pytest.raises(LogUnavailableError):
            engine.log.probe()
        assert time.monotonic() - began < BUDGET_S + 1.0 + SCHEDULING_S
    finally:
        own_brokers.start()
    eventually(lambda: appends(engine, partition))


def test_a_commit_that_no_broker_answers_ends_the_claim_and_leaves_nothing_half_done(
    own_brokers: Brokers, opened: Opened, partition: int
) -> None:
    engine = opened()
    claim = engine.log.claim(ROOM_STATUS_STATION, partition)
    claim.commit([], [StateChange(b"k", b"before")], {})
    own_brokers.freeze()
    try:
        with pytest.raises(FencedError):
            claim.commit([NewRecord(ROOM_REJECTIONS.name, partition, b"m", b"torn")], [StateChange(b"k", b"torn")], {})
    finally:
        own_brokers.thaw()
    with pytest.raises(FencedError):  # though the broker is back: nobody knows what became of the commit
        claim.commit([], [StateChange(b"k", b"later")], {})
    claim.close()
    heir = opened().log.claim(ROOM_STATUS_STATION, partition)
    decided = [record.value for record in opened().log.read(ROOM_REJECTIONS.name, partition, 0)]
    assert (heir.state[b"k"], decided) in ((b"before", []), (b"torn", [b"torn"]))
    heir.commit([], [StateChange(b"k", b"heir")], {})
    heir.close()


def test_a_worker_that_died_inside_a_commit_decided_nothing(opened: Opened, partition: int) -> None:
    """The transaction of a process that was killed between its decisions and its state is aborted by its heir."""
    engine = opened()
    child = os.fork()
    if child == 0:
        claim = opened().log.claim(ROOM_STATUS_STATION, partition)
        claim._producer.begin_transaction()
        claim._decide([NewRecord(ROOM_REJECTIONS.name, partition, b"m", b"torn")], time.monotonic() + 5)
        os._exit(0)
    os.waitpid(child, 0)
    heir = engine.log.claim(ROOM_STATUS_STATION, partition)
    assert list(heir.tail()) == []
    assert list(engine.log.read(ROOM_REJECTIONS.name, partition, 0)) == []
    uncommitted = engine.log.read(ROOM_REJECTIONS.name, partition, 0, committed=False)
    assert [record.value for record in uncommitted] == [b"torn"]
    heir.close()


def test_without_transactions_the_tail_shows_what_a_torn_owner_decided(opened: Opened, partition: int) -> None:
    torn = opened(transactions=False).log.claim(ROOM_STATUS_STATION, partition)
    torn.commit([NewRecord(ROOM_REJECTIONS.name, partition, b"m", b"first")], [StateChange(b"k", b"1")], {})
    torn._decide([NewRecord(ROOM_REJECTIONS.name, partition, b"m", b"second")], time.monotonic() + 5)
    torn.close()
    heir = opened(transactions=False).log.claim(ROOM_STATUS_STATION, partition)
    assert (dict(heir.state), [record.value for record in heir.tail()]) == ({b"k": b"1"}, [b"second"])
    heir.close()
