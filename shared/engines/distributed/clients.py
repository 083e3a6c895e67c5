"""The Kafka client behind typed shapes: with `connections` the only module that imports it, and every knob with its reason."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

with warnings.catch_warnings():
    warnings.filterwarnings(
        "ignore", "(read|open)_text is deprecated", DeprecationWarning
    )  # how the library loads its schemas
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
    from kafka.consumer.subscription_state import ConsumerRebalanceListener as RebalanceListener
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.errors import KafkaError

from shared.engines.distributed.connections import network_client
from shared.engines.distributed.security import PLAIN_TEXT, Security

__all__ = [
    "UNKNOWN_TOPIC",
    "Admin",
    "Clients",
    "ConfigResource",
    "ConfigResourceType",
    "Consumer",
    "KafkaError",
    "OffsetSpec",
    "Producer",
    "RebalanceListener",
    "TopicPartition",
]

UNKNOWN_TOPIC = 3
"""Kafka's error code."""

BROKER_API = (3, 9)
"""Said instead of asked: a constructor then does no network, so that a process starts with Kafka down. 3.9 and every 4.x."""

APPEND_TIMEOUT_MS = 2_000
"""How long an append may try: the receiver answers 503 within 2.2 s."""
REQUEST_TIMEOUT_MS = 1_500
TRANSACTION_TIMEOUT_MS = 10_000
CLAIM_TIMEOUT_MS = 15_000
"""Longer than a transaction: fencing an owner that died inside one waits for its end."""
ABANDON_S = 0.5
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_MS = 1_000
RETRY_BACKOFF_MS = 5
"""The first send after a commit meets CONCURRENT_TRANSACTIONS and waits one of these: 100 ms makes a commit cost 114 ms."""


class Metadata(Protocol):
    """Where a record went."""

    offset: int


class Ack(Protocol):
    """A record on its way."""

    def get(self, timeout: float | None = None) -> Metadata:
        """Wait, in seconds. Raises KafkaError."""
        ...

    def add_both(self, callback: Callable[..., None]) -> object:
        """Run on the sender's thread when it is settled."""
        ...


class Producer(Protocol):
    """What we use of a producer. Thread-safe."""

    def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: list[tuple[str, bytes]] | None = None,
        partition: int | None = None,
    ) -> Ack:
        """Queue a record; waits for metadata on the first to a topic."""
        ...

    def init_transactions(self) -> None:
        """Fence older producers of the same id."""
        ...

    def begin_transaction(self) -> None:
        """Local."""
        ...

    def enlist(self, partitions: Iterable[TopicPartition]) -> None:
        """Say beforehand which partitions the open transaction will write to: one request for all of them, with the first send."""
        ...

    def commit_transaction(self) -> None:
        """Flush and commit. No timeout of its own."""
        ...

    def close(self, timeout: float | None = None) -> None:
        """Flush for that many seconds; raises KafkaError when that does not do."""
        ...

    def abandon(self) -> None:
        """Close at once, whatever it still holds."""
        ...


class ConsumedRecord(Protocol):
    """A record as fetched."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Consumer(Protocol):
    """What we use of a consumer. Not thread-safe, and nothing in it would notice."""

    def assign(self, partitions: list[TopicPartition]) -> None:
        """Take partitions by hand."""
        ...

    def subscribe(self, topics: list[str], *, listener: object) -> None:
        """Take part in a group."""
        ...

    def assignment(self) -> set[TopicPartition]:
        """The partitions at the moment."""
        ...

    def pause(self, *partitions: TopicPartition) -> None:
        """Fetch nothing from them."""
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go there."""
        ...

    def position(self, partition: TopicPartition) -> int:
        """The next offset; past markers and holes once they were fetched."""
        ...

    def poll(
        self, timeout_ms: int, max_records: int | None = None
    ) -> Mapping[TopicPartition, Sequence[ConsumedRecord]]:
        """Wait for records."""
        ...

    def beginning_offsets(self, partitions: list[TopicPartition], timeout_ms: int) -> Mapping[TopicPartition, int]:
        """Where they begin."""
        ...

    def end_offsets(self, partitions: list[TopicPartition], timeout_ms: int) -> Mapping[TopicPartition, int]:
        """Where they end for this consumer's isolation."""
        ...

    def offsets_for_times(self, timestamps: dict[TopicPartition, int], timeout_ms: int) -> Mapping[TopicPartition, Any]:
        """The first offset at or after a time, or None."""
        ...

    def partitions_for_topic(self, topic: str) -> set[int]:
        """Asks the cluster when it does not know the topic yet."""
        ...

    def close(self) -> None:
        """Leave the group, if any, and close connections."""
        ...


class Admin(Protocol):
    """What we use of the admin client. Not thread-safe. Its constructor connects."""

    def create_topics(self, new_topics: Mapping[str, Mapping[str, Any]], *, wait_for_metadata: bool) -> object:
        """Make topics."""
        ...

    def delete_topics(self, topics: list[str]) -> object:
        """Delete topics."""
        ...

    def describe_topics(self, topics: list[str]) -> Sequence[Mapping[str, Any]]:
        """Partitions, replicas, topic ids; an error code each."""
        ...

    def describe_configs(self, config_resources: list[object]) -> Any:
        """The settings of topics."""
        ...

    def alter_configs(self, config_resources: list[object]) -> Any:
        """Change settings of topics."""
        ...

    def list_partition_offsets(self, topic_partition_specs: Mapping[TopicPartition, Any], *, timeout_ms: int) -> object:
        """Ask the leader of each partition; one that is not its leader yet is asked again."""
        ...

    def list_topics(self) -> Iterable[str]:
        """All names."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


class _QuietProducer(KafkaProducer):  # type: ignore[misc]  # the client is untyped
    """The library's `__del__` replaces its module's logger for the whole process; ours is closed by name."""

    def __del__(self) -> None:
        """Do nothing."""

    def enlist(self, partitions: Iterable[TopicPartition]) -> None:
        """As the library's `send` does for each record, which costs the coordinator a request and a replicated write a time."""
        with self._transaction_manager._lock:  # noqa: SLF001  # the sender's thread sees all of them or none
            for one in partitions:
                self._transaction_manager.maybe_add_partition_to_transaction(one)

    def abandon(self) -> None:
        """The library's `close` flushes first, and leaves its thread running for ever when that fails."""
        self.flush = lambda timeout=None: None  # noqa: ARG005
        self.close(timeout=0)
        self._sender.join(ABANDON_S)


class _TidyAdmin(KafkaAdminClient):  # type: ignore[misc]  # the client is untyped
    """The library's constructor, when no broker answers, raises and leaves its thread running for ever."""

    def __init__(self, **knobs: Any) -> None:
        try:
            super().__init__(**knobs)
        except BaseException:
            self._closed = False
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients of one cluster. `prefix` stands before every topic, group and transactional id."""

    bootstrap: str
    prefix: str = ""
    security: Security = PLAIN_TEXT
    _common: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        common = {
            "bootstrap_servers": self.bootstrap.split(","),
            "api_version": BROKER_API,
            "kafka_client": network_client,
            "reconnect_backoff_max_ms": 500,  # 30 s by default: too long to notice that a broker is back
            **self.security.knobs(),
        }
        object.__setattr__(self, "_common", common)

    def topic(self, name: str) -> str:
        """The name in the cluster of one of our topics."""
        return self.prefix + name

    def bare(self, topic: str) -> str:
        """The other way round."""
        return topic.removeprefix(self.prefix)

    def appender(self) -> Producer:
        """
        For hints and everything else outside a claim.

        Not idempotent on purpose: an idempotent producer that has seen one batch expire never sends again.
        """
        return self._producer(enable_idempotence=False, retry_backoff_ms=50)

    def owner(self, name: str) -> Producer:
        """The transactional producer of a claim; `init_transactions` fences its older namesakes."""
        return self._producer(
            transactional_id=self.prefix + name,
            enable_idempotence=True,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            max_block_ms=CLAIM_TIMEOUT_MS,
        )

    def _producer(self, **knobs: Any) -> Producer:
        settings = {
            "acks": "all",
            "linger_ms": 0,  # callers wait for the acknowledgement; concurrent ones batch by themselves
            "max_block_ms": APPEND_TIMEOUT_MS,
            "delivery_timeout_ms": APPEND_TIMEOUT_MS,
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "metrics_enabled": False,
        }
        producer: Producer = _QuietProducer(**self._common, **{**settings, **knobs})
        return producer

    def consumer(
        self, *, committed: bool, max_wait_ms: int = 500, request_timeout_ms: int = 5_000, **knobs: Any
    ) -> Consumer:
        """For partitions taken by hand. An offset that retention took raises OffsetOutOfRangeError: never silently elsewhere."""
        settings = {
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "allow_auto_create_topics": False,
            "isolation_level": "read_committed" if committed else "read_uncommitted",
            "fetch_max_wait_ms": max_wait_ms,
            "request_timeout_ms": request_timeout_ms,
            "retry_backoff_ms": 20,
            "max_partition_fetch_bytes": 4 * 1024 * 1024,
            "metrics_enabled": False,
        }
        consumer: Consumer = KafkaConsumer(**self._common, **{**settings, **knobs})
        return consumer

    def member(self, group: str) -> Consumer:
        """For belonging to a group of workers, and nothing else: it never fetches."""
        consumer: Consumer = KafkaConsumer(
            **self._common,
            group_id=self.prefix + group,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            allow_auto_create_topics=False,
            partition_assignment_strategy=(RangePartitionAssignor(),),
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            metrics_enabled=False,
        )
        return consumer

    def admin(self, timeout_ms: int = 5_000) -> Admin:
        """Connects at once. Raises KafkaError."""
        admin: Admin = _TidyAdmin(
            **self._common,
            bootstrap_timeout_ms=timeout_ms,
            request_timeout_ms=max(timeout_ms, 5_000),
            retry_backoff_ms=50,
        )
        return admin
