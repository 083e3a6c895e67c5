"""The table of topics and the cluster: made, compared, mended, never resized."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from shared.contracts.topics import MEETING_STATE, OBSERVATIONS, ROOM_STATUS_STATION, TOPICS
from shared.engines.distributed import check_topics, delete_topics, ensure_topics
from shared.engines.distributed.clients import Clients, ConfigResource, ConfigResourceType
from shared.errors import ConfigurationError, LogUnavailableError
from tests.integration.shared.engines.distributed.conftest import OpenedOn

pytestmark = pytest.mark.kafka


@pytest.fixture
def prefix(kafka_bootstrap: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:8]}."
    yield name
    delete_topics(kafka_bootstrap, prefix=name)


def test_topics_are_made_as_the_table_says_and_making_them_again_changes_nothing(
    kafka_bootstrap: str, prefix: str
) -> None:
    missing = check_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1)
    assert [str(one) for one in missing] == [f"{prefix}{topic.name}: is missing" for topic in TOPICS]
    assert ensure_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1) == []
    assert ensure_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1) == []
    assert check_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1) == []


def test_another_number_of_partitions_is_refused_and_left_as_it_is(kafka_bootstrap: str, prefix: str) -> None:
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1)
    for wanted in (1, 3):
        with pytest.raises(ConfigurationError, match="has 2 partitions"):
            ensure_topics(kafka_bootstrap, prefix=prefix, partitions=wanted, replication=1)
    assert check_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1) == []


def test_a_worker_refuses_to_start_on_topics_of_another_shape(
    kafka_bootstrap: str, prefix: str, opened_on: OpenedOn
) -> None:
    with pytest.raises(ConfigurationError, match="roomsync topics"):
        opened_on(kafka_bootstrap, prefix=prefix).log.join(ROOM_STATUS_STATION)
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1)
    with pytest.raises(ConfigurationError, match="has 2 partitions"):
        opened_on(kafka_bootstrap, prefix=prefix, partitions=3).log.join(ROOM_STATUS_STATION)


def test_a_setting_that_drifted_is_found_and_mended(kafka_bootstrap: str, prefix: str) -> None:
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=1, replication=1)
    drift(kafka_bootstrap, prefix + OBSERVATIONS.name, {"retention.ms": "1000"})
    drift(kafka_bootstrap, prefix + MEETING_STATE.name, {"min.compaction.lag.ms": "0"})
    found = check_topics(kafka_bootstrap, prefix=prefix, partitions=1, replication=1)
    assert sorted(str(one) for one in found) == [
        f"{prefix}meeting-state: min.compaction.lag.ms=0, not 518400000",
        f"{prefix}observations: retention.ms=1000, not 432000000",
    ]
    assert ensure_topics(kafka_bootstrap, prefix=prefix, partitions=1, replication=1) == []


def test_too_few_replicas_are_told_and_not_called_repairable(kafka_bootstrap: str, prefix: str) -> None:
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=1, replication=1)
    found = check_topics(kafka_bootstrap, prefix=prefix, partitions=1, replication=2)
    assert {str(one).partition(": ")[2] for one in found} == {"has 1 replicas, not 2"}
    assert not any(one.repairable for one in found)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the client leaves the sockets of refused connections lying
def test_brokers_that_do_not_answer_are_an_error_of_ours() -> None:
    with pytest.raises(LogUnavailableError, match=r"127\.0\.0\.1:1"):
        check_topics("127.0.0.1:1", partitions=1, replication=1)


def drift(bootstrap: str, topic: str, settings: dict[str, str]) -> None:
    admin = Clients(bootstrap).admin()
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, settings)])
    admin.close()
