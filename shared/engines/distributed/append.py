"""Appending outside any claim: on all in-sync replicas, or an error within 2.2 s."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from shared.engines.distributed.clients import Ack, Clients, KafkaError, Producer
from shared.errors import LogUnavailableError
from shared.ports.log import Append, NewRecord

BUDGET_S = 2.2
BEGIN_S = 1.9
"""The client waits up to 2 s for a topic's metadata: once for all that is begun together, and not again for each."""
MAX_IN_FLIGHT = 2_000
"""The client queues without bound while brokers are away; this is the bound."""


class Appender:
    """One lazily made producer per process. Thread-safe."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._producer: tuple[int, Producer] | None = None
        self._slots = threading.BoundedSemaphore(MAX_IN_FLIGHT)

    def append(self, records: Sequence[NewRecord]) -> None:
        """Return when every record is durable. Raises LogUnavailableError within 2.2 s; some may appear all the same."""
        deadline = time.monotonic() + BUDGET_S
        try:
            producer = self._mine()
            acks = [self._send(producer, record, deadline) for record in records]
            for ack in acks:
                ack.get(timeout=max(0.0, deadline - time.monotonic()))
        except KafkaError as error:
            message = f"Kafka did not acknowledge in time ({error}); look at the brokers at {self._clients.bootstrap}"
            raise LogUnavailableError(message) from error

    def begin(self, appends: Sequence[Append]) -> None:
        """
        Queue the records of each; they are settled by the client's threads, at most some 2 s later.

        What has not been queued after `BEGIN_S`, since the client waited for others' metadata, has failed.
        """
        latest = time.monotonic() + BEGIN_S
        for one in appends:
            acks = _Acknowledgements(one, self._clients.bootstrap)
            try:
                self._queue(one, acks, latest)
            except Exception as error:  # noqa: BLE001  # a client that cannot be made, metadata that cannot be had: it failed
                acks.fail(error)

    def _queue(self, one: Append, acks: _Acknowledgements, latest: float) -> None:
        producer = self._mine()
        for record in one.records:
            if time.monotonic() > latest:
                message = "its client was busy with others for too long"
                raise LogUnavailableError(message)
            self._send(producer, record, 0.0).add_both(acks.take)

    def close(self) -> None:
        """Release connections; what is unacknowledged was never promised."""
        with self._lock:
            if self._producer is not None and self._producer[0] == os.getpid():
                discard(self._producer[1])
            self._producer = None

    def _mine(self) -> Producer:
        """The client does not survive a fork: a child makes its own."""
        with self._lock:
            if self._producer is None or self._producer[0] != os.getpid():
                self._producer = (os.getpid(), self._clients.appender())
            return self._producer[1]

    def _send(self, producer: Producer, record: NewRecord, deadline: float) -> Ack:
        if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            message = f"{MAX_IN_FLIGHT} records are waiting for Kafka already"
            raise LogUnavailableError(message)
        try:
            ack = send(producer, self._clients, record)
        except BaseException:
            self._slots.release()
            raise
        ack.add_both(lambda *_: self._slots.release())
        return ack


class _Acknowledgements:
    """Those that an append still waits for. Thread-safe."""

    def __init__(self, append: Append, bootstrap: str) -> None:
        self._append = append
        self._bootstrap = bootstrap
        self._missing = len(append.records)
        self._lock = threading.Lock()

    def take(self, outcome: object) -> None:
        """One record is settled: with its metadata, or with the client's error."""
        if isinstance(outcome, Exception):
            self.fail(outcome)
            return
        with self._lock:
            self._missing -= 1
            done = self._missing == 0
        if done:
            self._append.settle(None)

    def fail(self, error: Exception) -> None:
        """Settle it now: the first failure decides."""
        with self._lock:
            first, self._missing = self._missing > 0, -1
        if first:
            message = f"Kafka did not acknowledge in time ({error}); look at the brokers at {self._bootstrap}"
            self._append.settle(LogUnavailableError(message))


def send(producer: Producer, clients: Clients, record: NewRecord) -> Ack:
    """Queue one record under its name in the cluster."""
    return producer.send(
        clients.topic(record.topic),
        record.value,
        key=record.key,
        headers=list(record.headers),
        partition=record.partition,
    )


def discard(producer: Producer, timeout_s: float = 0.5) -> None:
    """Close in order within `timeout_s`, else without caring for what it still holds."""
    try:
        producer.close(timeout=timeout_s)
    except KafkaError:
        producer.abandon()
