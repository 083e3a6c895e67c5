"""The promises of the Log port, outside any claim."""

from __future__ import annotations

import pytest

from shared.contracts.topics import COMMANDS, NOTIFICATIONS_GRAPH, TOPICS
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, Record
from tests.contract.children import Child
from tests.contract.conftest import EngineFactory
from tests.contract.deployments import Deployment, ManualClock
from tests.contract.waiting import the_next_millisecond

TOPIC = NOTIFICATIONS_GRAPH.name


def hint(partition: int, value: bytes | None, *, key: bytes = b"mailbox", topic: str = TOPIC) -> NewRecord:
    return NewRecord(topic, partition, key, value)


def values(records: list[Record] | tuple[Record, ...]) -> list[bytes | None]:
    return [record.value for record in records]


def everything(engine: Engine, partition: int, *, topic: str = TOPIC, limit: int = 500) -> list[Record]:
    """The partition, page by page."""
    found: list[Record] = []
    while page := engine.log.read(topic, partition, found[-1].offset + 1 if found else 0, limit=limit):
        found += page
    return found


def test_a_record_comes_back_as_it_was_appended(engine: Engine, partition: int) -> None:
    headers = (("traceparent", b"00-1-2-01"), ("traceparent", b"twice"), ("binary", b"\x00\xff"))
    engine.log.append([NewRecord(TOPIC, partition, b"\x00key", b"value\xff", headers)])
    [record] = engine.log.read(TOPIC, partition, 0)
    assert (record.topic, record.partition, record.key, record.value) == (TOPIC, partition, b"\x00key", b"value\xff")
    assert record.headers == headers


def test_a_partition_keeps_the_order_of_appending(engine: Engine, partition: int) -> None:
    for start in range(0, 50, 10):
        engine.log.append([hint(partition, str(number).encode()) for number in range(start, start + 10)])
    found = everything(engine, partition, limit=7)
    assert values(found) == [str(number).encode() for number in range(50)]
    assert [record.offset for record in found] == sorted({record.offset for record in found})


def test_partitions_and_topics_do_not_mix(engine: Engine, partition: int) -> None:
    engine.log.append([hint(partition, b"hint"), hint(partition, b"wish", topic=COMMANDS.name)])
    assert values(everything(engine, partition)) == [b"hint"]
    assert values(everything(engine, partition, topic=COMMANDS.name)) == [b"wish"]


def test_a_tombstone_is_a_record_without_a_value(engine: Engine, partition: int) -> None:
    engine.log.append([hint(partition, b""), hint(partition, None)])
    assert values(everything(engine, partition)) == [b"", None]


def test_an_acknowledged_record_is_read_by_another_process(
    engine: Engine, partition: int, deployment: Deployment
) -> None:
    engine.log.append([hint(partition, b"durable")])
    with Child(deployment, "read", TOPIC, partition, 0) as reader:
        assert [line["value"] for line in reader.rest()] == ["durable"]


def test_two_processes_that_append_at_once_lose_nothing(engine: Engine, partition: int, deployment: Deployment) -> None:
    count = 60
    with (
        Child(deployment, "append", TOPIC, partition, "one", count) as one,
        Child(deployment, "append", TOPIC, partition, "two", count) as two,
    ):
        acknowledged = [len(child.rest()) - 1 for child in (one, two)]
    found = everything(engine, partition)
    assert acknowledged == [count, count]
    for writer in ("one", "two"):
        own = [record.value for record in found if record.key == writer.encode()]
        assert own == [f"{writer}-{number}".encode() for number in range(count)]


def test_the_span_ends_beyond_the_last_record(engine: Engine, partition: int) -> None:
    before = engine.log.span(TOPIC, partition)
    engine.log.append([hint(partition, b"one"), hint(partition, b"two")])
    after = engine.log.span(TOPIC, partition)
    found = everything(engine, partition)
    assert before.begin == before.end == after.begin == 0
    assert found[-1].offset < after.end
    assert engine.log.read(TOPIC, partition, after.end) in ([], ())


def test_time_finds_the_first_record_appended_then_or_later(engine: Engine, partition: int, clock: ManualClock) -> None:
    for number in range(3):
        engine.log.append([hint(partition, str(number).encode()), hint(partition, b"same instant")])
        clock.at_ms += 1000
        the_next_millisecond()
    found = everything(engine, partition)
    for index in (0, 2, 4):
        record = found[index]
        assert engine.log.at_time(TOPIC, partition, record.appended_at_ms) == record.offset
    assert engine.log.at_time(TOPIC, partition, found[1].appended_at_ms + 1) == found[2].offset
    assert engine.log.at_time(TOPIC, partition, 0) == found[0].offset
    end = engine.log.span(TOPIC, partition).end
    assert engine.log.at_time(TOPIC, partition, found[-1].appended_at_ms + 1) == end


def test_a_topic_keeps_its_id_and_shares_it_with_nobody(engine: Engine, engine_factory: EngineFactory) -> None:
    ids = [engine.log.topic_id(topic.name) for topic in TOPICS]
    assert len(set(ids)) == len(TOPICS)
    assert [engine_factory().log.topic_id(topic.name) for topic in TOPICS] == ids


def test_a_log_that_answers_is_probed_without_complaint(engine: Engine, deployment: Deployment) -> None:
    engine.log.probe()
    assert engine.log.partitions == deployment.partitions


@pytest.mark.parametrize("committed", [True, False])
def test_what_stands_outside_any_commit_is_seen_at_either_isolation(
    engine: Engine, partition: int, *, committed: bool
) -> None:
    engine.log.append([hint(partition, b"seen")])
    assert values(list(engine.log.read(TOPIC, partition, 0, committed=committed))) == [b"seen"]
