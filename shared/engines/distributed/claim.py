"""Exclusive ownership of one partition: fence, restore, resume; decisions before state; one producer error ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from shared.contracts.topics import POSITION_KEY, Station
from shared.engines.distributed.append import discard, send
from shared.engines.distributed.clients import Clients, Consumer, KafkaError, Producer, TopicPartition
from shared.engines.distributed.reader import as_record
from shared.engines.distributed.restore import bounds, read_to_end, restore_state
from shared.engines.distributed.watchdog import Watchdog
from shared.engines.position import Position, encode_position
from shared.errors import FencedError, LogUnavailableError
from shared.ports.log import NewRecord, Record, StateChange

T = TypeVar("T")
AtPoint = Callable[[str], None]
"""Told the name of each place inside a commit where a test may have the process die."""

COMMIT_TIMEOUT_S = 2.0
"""A commit that takes longer is of unknown outcome: the client itself would wait for ever."""
CLOSE_TIMEOUT_S = 2.0
_SHORTEST_POLL_MS = 10


class DistributedClaim:
    """See `shared.ports.log.Claim`. Made by `claim`."""

    def __init__(
        self,
        clients: Clients,
        station: Station,
        partition: int,
        producer: Producer,
        *,
        transactions: bool = True,
        at_point: AtPoint = lambda _: None,
    ) -> None:
        """`producer` has fenced its older namesakes already. Raises KafkaError, LogUnavailableError."""
        self.partition = partition
        self._clients = clients
        self._station = station
        self._producer = producer
        self._transactions = transactions
        self._at_point = at_point
        self._dead: str | None = None
        self.closed = False
        state, recorded = restore_state(clients, station.state, partition)
        self.state: Mapping[bytes, bytes] = state
        self._ends = dict(recorded.ends)
        self._input = clients.consumer(committed=True)
        try:
            self.lost: Mapping[str, int] = _stand_at(self._input, clients, station, partition, recorded)
        except BaseException:
            self._input.close()
            raise
        self.position: Mapping[str, int] = recorded.inputs
        self._written = recorded.inputs
        self._watchdog = Watchdog(f"commit-{station.service}-{partition}")

    def tail(self) -> Sequence[Record]:
        """Committed records of this partition of the output topics beyond the recorded end."""
        found: list[Record] = []
        consumer = self._clients.consumer(committed=True, max_wait_ms=_SHORTEST_POLL_MS)
        try:
            for topic in self._station.outputs:
                where = self._where(topic)
                begin, end = bounds(consumer, [where])[where]
                start = max(begin, self._ends.get(topic, 0))
                read_to_end(consumer, where, start, end, lambda raw: found.append(as_record(raw, self._clients)))
        except KafkaError as error:
            message = f"cannot read what {self._station.service}-{self.partition} wrote last: {error}"
            raise LogUnavailableError(message) from error
        finally:
            consumer.close()
        return found

    def read(self, timeout_s: float) -> Sequence[Record]:
        """The next input records; empty after `timeout_s`. Raises FencedError when the place in the input is gone."""
        self._check()
        try:
            batches = self._input.poll(timeout_ms=max(_SHORTEST_POLL_MS, int(timeout_s * 1000)))
        except (
            KafkaError
        ) as error:  # above all OffsetOutOfRangeError: retention overtook us; the next claim counts the loss
            self._end("its input cannot be read on", error)
            raise self._error() from error
        return [as_record(raw, self._clients) for records in batches.values() for raw in records]

    def commit(self, outputs: Sequence[NewRecord], state: Sequence[StateChange], position: Mapping[str, int]) -> int:
        """See the port. Raises FencedError, after which the producer is never used again."""
        self._check()
        return self._watched(lambda: self._commit(outputs, state, position))

    def close(self) -> None:
        """Give the partition back; safe after FencedError. Idempotent."""
        if self.closed:
            return
        self.closed = True
        if self._dead is None:
            self._dead = "it was closed"
            discard(self._producer, CLOSE_TIMEOUT_S)
        self._watchdog.close()
        self._input.close()

    def _commit(self, outputs: Sequence[NewRecord], state: Sequence[StateChange], position: Mapping[str, int]) -> int:
        deadline = time.monotonic() + COMMIT_TIMEOUT_S
        if self._transactions:
            self._producer.begin_transaction()
            self._producer.enlist([*self._places(outputs), self._where(self._station.state)])
        ends = self._decide(outputs, deadline)
        self._at_point(f"{self._station.service}.decided")
        inputs = {**self._written, **position}
        mark = encode_position(Position(inputs=inputs, ends=ends))
        changes = [NewRecord(self._station.state, self.partition, one.key, one.value) for one in state]
        changes.append(NewRecord(self._station.state, self.partition, POSITION_KEY, mark))
        acks = [send(self._producer, self._clients, one) for one in changes]
        self._at_point(f"{self._station.service}.stated")
        if self._transactions:
            self._producer.commit_transaction()
        last = [ack.get(timeout=max(0.0, deadline - time.monotonic())) for ack in acks][-1]
        self._written, self._ends = inputs, ends
        return last.offset

    def _decide(self, outputs: Sequence[NewRecord], deadline: float) -> dict[str, int]:
        """Write the decisions and await them: state must never stand without them."""
        acks = [(one, send(self._producer, self._clients, one)) for one in outputs]
        ends = dict(self._ends)
        for record, ack in acks:
            offset = ack.get(timeout=max(0.0, deadline - time.monotonic())).offset
            if record.partition == self.partition:
                ends[record.topic] = offset + 1
        return ends

    def _watched(self, work: Callable[[], T]) -> T:
        try:
            return self._watchdog.run(work, COMMIT_TIMEOUT_S)
        except TimeoutError as error:
            self._end("a commit took too long", error)
            raise self._error() from error
        except Exception as error:
            # Whatever it was: no abort, no second try. Only a restore knows what stands in the log.
            self._end("its producer failed", error)
            raise self._error() from error

    def _end(self, what: str, error: Exception) -> None:
        self._dead = f"{what} ({error!r})"
        self._producer.abandon()

    def _check(self) -> None:
        if self._dead is not None:
            raise self._error()

    def _error(self) -> FencedError:
        return FencedError(f"the claim on {self._station.service}-{self.partition} is over: {self._dead}")

    def _places(self, outputs: Sequence[NewRecord]) -> set[TopicPartition]:
        return {TopicPartition(self._clients.topic(one.topic), one.partition) for one in outputs}

    def _where(self, topic: str) -> TopicPartition:
        return TopicPartition(self._clients.topic(topic), self.partition)


def claim(
    clients: Clients,
    station: Station,
    partition: int,
    *,
    transactions: bool = True,
    at_point: AtPoint = lambda _: None,
) -> DistributedClaim:
    """
    Fence any older owner of the partition, restore, and stand at the position.

    Args:
        transactions: False only in tests, which show that derived ids and the tail check hold without them.
        at_point: Called inside every commit, as `service.decided` and `service.stated`.

    Raises:
        LogUnavailableError: the brokers cannot be reached, or the topics are missing.
    """
    name = f"{station.service}-{partition}"
    producer = clients.owner(name) if transactions else clients.appender()
    try:
        if transactions:
            producer.init_transactions()
        return DistributedClaim(clients, station, partition, producer, transactions=transactions, at_point=at_point)
    except KafkaError as error:
        producer.abandon()
        message = f"{name} cannot be claimed ({error}); look at the brokers, and at `roomsync topics`"
        raise LogUnavailableError(message) from error
    except BaseException:
        producer.abandon()
        raise


def _stand_at(
    consumer: Consumer, clients: Clients, station: Station, partition: int, recorded: Position
) -> dict[str, int]:
    """Seek every input to its position, or to the beginning where that is gone; returns how many offsets are lost."""
    places = {topic: TopicPartition(clients.topic(topic), partition) for topic in station.inputs}
    found = bounds(consumer, list(places.values()))
    lost: dict[str, int] = {}
    consumer.assign(list(places.values()))
    for topic, where in places.items():
        begin, end = found[where]
        wanted = recorded.inputs.get(topic, 0)  # what was never read counts from 0: never silently "the earliest"
        if wanted < begin:
            lost[topic] = begin - wanted
        elif wanted > end:  # deleted and made again, or cut: whatever stood there is gone
            lost[topic] = wanted - end
        consumer.seek(where, begin if topic in lost else wanted)
    return lost
