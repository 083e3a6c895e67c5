"""The log on Apache Kafka. Nothing here connects before it is used, so that a process starts while the brokers are down."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from shared.contracts.topics import DEAD_LETTERS, Station
from shared.engines.distributed.append import Appender
from shared.engines.distributed.claim import AtPoint, DistributedClaim, claim
from shared.engines.distributed.clients import UNKNOWN_TOPIC, Admin, Clients, Consumer, KafkaError, TopicPartition
from shared.engines.distributed.membership import GroupMembership
from shared.engines.distributed.reader import Reader
from shared.errors import ConfigurationError, LogUnavailableError
from shared.ports.log import Append, NewRecord, Record, Span

T = TypeVar("T", DistributedClaim, GroupMembership)

_PROBES = 2
_PROBE_MS = 450  # two of them stay below the port's 1 s; partitions have different leaders, and one broker may be away
_ADMIN_MS = 3_000


class DistributedLog:
    """See `shared.ports.log.Log`. Thread-safe."""

    def __init__(
        self, clients: Clients, partitions: int, *, transactions: bool = True, at_point: AtPoint = lambda _: None
    ) -> None:
        """
        Connects to nothing.

        Args:
            clients: Where the brokers are, and the prefix of every name.
            partitions: Of every topic.
            transactions: See `claim`.
            at_point: See `claim`.
        """
        self.partitions = partitions
        self._clients = clients
        self._transactions = transactions
        self._at_point = at_point
        self._appender = Appender(clients)
        self._reader = Reader(clients)
        self._lock = threading.Lock()
        self._open: list[DistributedClaim | GroupMembership] = []
        self._admin: Admin | None = None
        self._prober: Consumer | None = None

    def append(self, records: Sequence[NewRecord]) -> None:
        """Return when all in-sync replicas have them. Raises LogUnavailableError within 2.2 s."""
        self._appender.append(records)

    def begin_appends(self, appends: Sequence[Append]) -> None:
        """Queue all of them; the client's thread settles each. Waits for metadata only."""
        self._appender.begin(appends)

    def join(self, station: Station) -> GroupMembership:
        """
        Become one of the workers of a service; with Kafka down, as soon as it is up.

        Raises:
            ConfigurationError: the topics are missing, or have another number of partitions.
        """
        with contextlib.suppress(LogUnavailableError):
            self._check(station.inputs[0])
        return self._opened(GroupMembership(self._clients, station, self.partitions))

    def claim(self, station: Station, partition: int) -> DistributedClaim:
        """Fence, restore, resume. Raises LogUnavailableError."""
        made = claim(self._clients, station, partition, transactions=self._transactions, at_point=self._at_point)
        return self._opened(made)

    def read(
        self, topic: str, partition: int, offset: int, *, limit: int = 500, committed: bool = True
    ) -> Sequence[Record]:
        """Up to `limit` records from `offset` on. Raises LogUnavailableError."""
        return self._reader.read(topic, partition, offset, limit=limit, committed=committed)

    def span(self, topic: str, partition: int, *, committed: bool = True) -> Span:
        """Where the partition begins and ends now. Raises LogUnavailableError."""
        return self._reader.span(topic, partition, committed=committed)

    def at_time(self, topic: str, partition: int, at_ms: int) -> int:
        """The first offset at or after that time; the end when there is none. Raises LogUnavailableError."""
        return self._reader.at_time(topic, partition, at_ms)

    def topic_id(self, topic: str) -> str:
        """The cluster's own id of the topic. Raises LogUnavailableError."""
        found = self._described(topic)
        if found is None:
            raise LogUnavailableError(self._missing(topic))
        return str(found["topic_id"])

    def probe(self) -> None:
        """Ask leaders of a topic's partitions for their ends. Raises LogUnavailableError within 1 s."""
        # Not the client's `bootstrap(timeout)`: that one hangs on a broker that accepts connections and says nothing.
        with self._lock:
            if self._prober is None:
                self._prober = self._clients.consumer(committed=True, max_wait_ms=100, request_timeout_ms=_PROBE_MS)
            for number in range(_PROBES):
                where = TopicPartition(self._clients.topic(DEAD_LETTERS.name), number % self.partitions)
                try:
                    self._prober.end_offsets([where], timeout_ms=_PROBE_MS)
                except KafkaError as error:
                    failure = error
                else:
                    return
        message = (
            f"no broker at {self._clients.bootstrap} answers ({failure}); look at the brokers and at `roomsync topics`"
        )
        raise LogUnavailableError(message)

    def close(self) -> None:
        """Release connections, those of claims and memberships that are still open included."""
        with self._lock:
            still_open, self._open = self._open, []
        for one in still_open:
            one.close()
        self._appender.close()
        self._reader.close()
        with self._lock:
            self._drop_admin()
            if self._prober is not None:
                self._prober.close()
                self._prober = None

    def _check(self, topic: str) -> None:
        found = self._described(topic)
        if found is None:
            raise ConfigurationError(self._missing(topic))
        if (there := len(found["partitions"])) != self.partitions:
            message = (
                f"topic {self._clients.topic(topic)} has {there} partitions and ROOMSYNC_PARTITIONS is {self.partitions}:"
                f" set it to {there} (keys would change their owner)"
            )
            raise ConfigurationError(message)

    def _described(self, topic: str) -> Mapping[str, Any] | None:
        """What the cluster says of a topic; None when there is none. Raises LogUnavailableError."""
        with self._lock:
            try:
                if self._admin is None:
                    self._admin = self._clients.admin(_ADMIN_MS)
                found = self._admin.describe_topics([self._clients.topic(topic)])[0]
            except KafkaError as error:
                self._drop_admin()
                message = (
                    f"Kafka at {self._clients.bootstrap} cannot be asked about topics ({error}); look at the brokers"
                )
                raise LogUnavailableError(message) from error
        return None if found["error_code"] == UNKNOWN_TOPIC else found

    def _missing(self, topic: str) -> str:
        return f"topic {self._clients.topic(topic)} is missing; make it with `roomsync topics`"

    def _opened(self, one: T) -> T:
        with self._lock:
            self._open = [*(earlier for earlier in self._open if not earlier.closed), one]
        return one

    def _drop_admin(self) -> None:
        if self._admin is not None:
            self._admin.close()
            self._admin = None
