"""Reading outside any claim: bounded, thread-safe, by consumers that are lent to one thread at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.engines.distributed.clients import Clients, ConsumedRecord, Consumer, KafkaError, TopicPartition
from shared.errors import LogUnavailableError
from shared.ports.log import Record, Span

READ_S = 5.0
OFFSETS_MS = 3_000
_POLL_MS = 20
_IDLE_KEPT = 8


@dataclass(slots=True)
class _Lent:
    consumer: Consumer
    committed: bool
    where: TopicPartition | None = None
    low: int = 0
    high: int = 0
    """It stands at `high`, and nothing visible lies in [low, high): a reader that goes on there finds what was fetched ahead."""

    def stands_at(self, where: TopicPartition, offset: int) -> bool:
        """Whether the next record it gives is the first one from `offset` on."""
        return self.where == where and self.low <= offset <= self.high


class Reader:
    """See `shared.ports.log.Log.read`, `span` and `at_time`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._idle: list[_Lent] = []
        self._closed = False

    def read(self, topic: str, partition: int, offset: int, *, limit: int, committed: bool) -> Sequence[Record]:
        """Up to `limit` records from `offset`, or from the beginning if retention has passed it. Raises LogUnavailableError."""
        where = TopicPartition(self._clients.topic(topic), partition)
        with self._lend(committed=committed, at=(where, offset)) as lent:
            if not lent.stands_at(where, offset):
                begin = lent.consumer.beginning_offsets([where], timeout_ms=OFFSETS_MS)[where]
                offset = max(begin, offset)
                lent.consumer.assign([where])
                lent.consumer.seek(where, offset)
            end = lent.consumer.end_offsets([where], timeout_ms=OFFSETS_MS)[where]
            found = _up_to(lent.consumer, where, end, limit)
            lent.where, lent.low, lent.high = (
                where,
                found[-1].offset + 1 if found else offset,
                lent.consumer.position(where),
            )
            return [as_record(raw, self._clients) for raw in found]

    def span(self, topic: str, partition: int, *, committed: bool) -> Span:
        """Where the partition begins and ends. Raises LogUnavailableError."""
        where = TopicPartition(self._clients.topic(topic), partition)
        with self._lend(committed=committed) as lent:
            begin = lent.consumer.beginning_offsets([where], timeout_ms=OFFSETS_MS)[where]
            return Span(begin, lent.consumer.end_offsets([where], timeout_ms=OFFSETS_MS)[where])

    def at_time(self, topic: str, partition: int, at_ms: int) -> int:
        """The first offset appended at or after `at_ms`, else the end. Raises LogUnavailableError."""
        where = TopicPartition(self._clients.topic(topic), partition)
        with self._lend(committed=True) as lent:
            found = lent.consumer.offsets_for_times({where: max(0, at_ms)}, timeout_ms=OFFSETS_MS)[where]
            if found is not None and found.offset >= 0:
                return int(found.offset)
            return lent.consumer.end_offsets([where], timeout_ms=OFFSETS_MS)[where]

    def close(self) -> None:
        """Close idle consumers; lent ones are closed when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for lent in idle:
            lent.consumer.close()

    @contextlib.contextmanager
    def _lend(self, *, committed: bool, at: tuple[TopicPartition, int] | None = None) -> Iterator[_Lent]:
        lent = self._taken(committed, at) or _Lent(
            self._clients.consumer(committed=committed, max_wait_ms=_POLL_MS), committed
        )
        sound = False
        try:
            yield lent
            sound = True
        except KafkaError as error:
            message = f"Kafka cannot be read now ({error}); look at the brokers at {self._clients.bootstrap}"
            raise LogUnavailableError(message) from error
        finally:
            self._give_back(lent, sound=sound)

    def _taken(self, committed: bool, at: tuple[TopicPartition, int] | None) -> _Lent | None:
        with self._lock:
            fitting = [lent for lent in self._idle if lent.committed == committed]
            standing = [lent for lent in fitting if at is not None and lent.stands_at(*at)]
            chosen = next(iter(standing or fitting), None)
            if chosen is not None:
                self._idle.remove(chosen)
            return chosen

    def _give_back(self, lent: _Lent, *, sound: bool) -> None:
        with self._lock:
            keep = sound and not self._closed and len(self._idle) < _IDLE_KEPT
            if keep:
                self._idle.append(lent)
        if not keep:
            lent.consumer.close()


def as_record(raw: ConsumedRecord, clients: Clients) -> Record:
    """The client's record in the port's words."""
    headers = tuple((name, value) for name, value in raw.headers)
    return Record(
        clients.bare(raw.topic),
        raw.partition,
        raw.offset,
        raw.key or b"",
        raw.value,
        headers,
        appended_at_ms=raw.timestamp,
    )


def _up_to(consumer: Consumer, where: TopicPartition, end: int, limit: int) -> list[ConsumedRecord]:
    found: list[ConsumedRecord] = []
    deadline = time.monotonic() + READ_S
    while len(found) < limit and consumer.position(where) < end:
        found += consumer.poll(timeout_ms=_POLL_MS, max_records=limit - len(found)).get(where, ())
        if time.monotonic() > deadline:
            if found:
                break
            message = f"{where.topic}/{where.partition} gave nothing for {READ_S} s; look at the brokers"
            raise LogUnavailableError(message)
    return found
