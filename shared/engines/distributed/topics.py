"""Making the topics of the table as it says, and telling where a cluster differs from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.contracts.topics import TOPICS, Cleanup, Topic
from shared.engines.distributed.clients import (
    Admin,
    Clients,
    ConfigResource,
    ConfigResourceType,
    KafkaError,
    OffsetSpec,
    TopicPartition,
)
from shared.engines.distributed.security import PLAIN_TEXT, Security
from shared.errors import ConfigurationError, LogUnavailableError

T = TypeVar("T")

TOMBSTONE_KEPT_MS = 86_400_000
"""Kafka's `delete.retention.ms`: how long a restore that is under way may still meet a tombstone."""
SEGMENT_MS = 6 * 3_600_000
"""Only closed segments are deleted or compacted: Kafka's default of a week would make twelve days of five."""
COMPACT_WITHIN_MS = 86_400_000
"""How long after the compaction lag a superseded record may stand at most."""
LEADERS_MS = 60_000
"""How long new topics may take until their leaders answer."""
_REPLICAS_FOR_TWO_IN_SYNC = 3


@dataclass(frozen=True, slots=True)
class TopicDifference:
    """One difference between the table and the cluster."""

    topic: str
    what: str
    repairable: bool = True
    """Whether `ensure_topics` mends it."""
    resized: bool = False
    """Another number of partitions: never changed, for keys would move to other owners."""

    def __str__(self) -> str:
        return f"{self.topic}: {self.what}"


def configuration(topic: Topic, replication: int) -> dict[str, str]:
    """The options that Kafka needs for a topic."""
    common = {
        "min.insync.replicas": "2" if replication >= _REPLICAS_FOR_TWO_IN_SYNC else "1",
        "message.timestamp.type": "LogAppendTime",  # the log's own clock: replay by time must not trust the writers'
        "segment.ms": str(SEGMENT_MS),
    }
    if topic.cleanup is Cleanup.DELETE:
        return {**common, "cleanup.policy": "delete", "retention.ms": str(topic.retention_ms)}
    return {
        **common,
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(topic.compaction_lag_ms),
        "max.compaction.lag.ms": str(topic.compaction_lag_ms + COMPACT_WITHIN_MS),
        "delete.retention.ms": str(TOMBSTONE_KEPT_MS),
    }


def ensure_topics(
    bootstrap: str,
    *,
    prefix: str = "",
    partitions: int,
    replication: int,
    topics: Sequence[Topic] = TOPICS,
    security: Security = PLAIN_TEXT,
) -> list[TopicDifference]:
    """
    Make what is missing, mend settings that differ, and return what could not be mended.

    Raises:
        ConfigurationError: a topic has another number of partitions than asked for: it is neither grown nor shrunk.
        LogUnavailableError: the brokers cannot be reached.
    """
    return _asked(
        Clients(bootstrap, prefix, security),
        lambda admin, clients: _ensure(admin, clients, topics, partitions, replication),
    )


def check_topics(
    bootstrap: str,
    *,
    prefix: str = "",
    partitions: int,
    replication: int,
    topics: Sequence[Topic] = TOPICS,
    security: Security = PLAIN_TEXT,
) -> list[TopicDifference]:
    """Every difference between the table and the cluster. Changes nothing. Raises LogUnavailableError."""
    return _asked(
        Clients(bootstrap, prefix, security),
        lambda admin, clients: _check(admin, clients, topics, partitions, replication),
    )


def delete_topics(
    bootstrap: str, *, prefix: str, topics: Sequence[Topic] = TOPICS, security: Security = PLAIN_TEXT
) -> None:
    """Delete this prefix's topics with all they hold. Raises LogUnavailableError."""

    def work(admin: Admin, clients: Clients) -> None:
        there = set(admin.list_topics())
        names = [clients.topic(topic.name) for topic in topics if clients.topic(topic.name) in there]
        if names:
            admin.delete_topics(names)

    _asked(Clients(bootstrap, prefix, security), work)


def _ensure(
    admin: Admin, clients: Clients, topics: Sequence[Topic], partitions: int, replication: int
) -> list[TopicDifference]:
    before = _check(admin, clients, topics, partitions, replication)
    resized = [finding for finding in before if finding.resized]
    if resized:
        raise ConfigurationError(*(f"{finding}; set ROOMSYNC_PARTITIONS to what it has" for finding in resized))
    there = _described(admin, clients, topics)
    wanted = {
        clients.topic(topic.name): {
            "num_partitions": partitions,
            "replication_factor": replication,
            "configs": configuration(topic, replication),
        }
        for topic in topics
        if topic.name not in there
    }
    if wanted:
        admin.create_topics(wanted, wait_for_metadata=True)
        _await_leaders(admin, wanted, partitions)
    _mend(admin, clients, [topic for topic in topics if topic.name in there], replication)
    return _check(admin, clients, topics, partitions, replication)


def _await_leaders(admin: Admin, names: Iterable[str], partitions: int) -> None:
    """A broker refuses what is appended until it has noticed that it leads: on a busy one longer than an append may try."""
    latest = {TopicPartition(name, partition): OffsetSpec.LATEST for name in names for partition in range(partitions)}
    admin.list_partition_offsets(latest, timeout_ms=LEADERS_MS)


def _check(
    admin: Admin, clients: Clients, topics: Sequence[Topic], partitions: int, replication: int
) -> list[TopicDifference]:
    there = _described(admin, clients, topics)
    differing = _differing(admin, clients, [topic for topic in topics if topic.name in there], replication)
    findings: list[TopicDifference] = []
    for topic in topics:
        if topic.name in there:
            findings += _shape(clients.topic(topic.name), there[topic.name]["partitions"], partitions, replication)
        else:
            findings.append(TopicDifference(clients.topic(topic.name), "is missing"))
    for name, settings in differing.items():
        findings += [TopicDifference(name, f"{key}={is_}, not {wanted}") for key, (is_, wanted) in settings.items()]
    return findings


def _shape(
    name: str, found: Sequence[Mapping[str, Any]], partitions: int, replication: int
) -> Iterator[TopicDifference]:
    if len(found) != partitions:
        yield TopicDifference(name, f"has {len(found)} partitions, not {partitions}", repairable=False, resized=True)
    copies = min(len(one["replica_nodes"]) for one in found)
    if copies < replication:
        yield TopicDifference(name, f"has {copies} replicas, not {replication}", repairable=False)


def _described(admin: Admin, clients: Clients, topics: Sequence[Topic]) -> dict[str, Mapping[str, Any]]:
    described = admin.describe_topics([clients.topic(topic.name) for topic in topics])
    return {clients.bare(one["name"]): one for one in described if one["error_code"] == 0}


def _differing(
    admin: Admin, clients: Clients, topics: Sequence[Topic], replication: int
) -> dict[str, dict[str, tuple[str, str]]]:
    """Name in the cluster → setting → what it is and what it should be."""
    wanted = {clients.topic(topic.name): configuration(topic, replication) for topic in topics}
    if not wanted:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, list(settings)) for name, settings in wanted.items()]
    found = admin.describe_configs(resources)["topic"]
    return {
        name: {
            key: (found[name][key]["value"], value)
            for key, value in settings.items()
            if found[name][key]["value"] != value
        }
        for name, settings in wanted.items()
    }


def _mend(admin: Admin, clients: Clients, topics: Sequence[Topic], replication: int) -> None:
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, {key: wanted for key, (_, wanted) in settings.items()})
        for name, settings in _differing(admin, clients, topics, replication).items()
        if settings
    ]
    if resources:
        admin.alter_configs(resources)


def _asked(clients: Clients, work: Callable[[Admin, Clients], T]) -> T:
    try:
        admin = clients.admin()
        try:
            return work(admin, clients)
        finally:
            admin.close()
    except KafkaError as error:
        message = f"Kafka at {clients.bootstrap} cannot be asked about topics: {error}"
        raise LogUnavailableError(message) from error
