"""Belonging to a group, and one thread per partition that is ours: the loop under every stateful service."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Protocol

from shared.contracts.topics import Station
from shared.errors import StoreUnavailableError
from shared.ports.log import Claim, Log
from shared.runtime import metrics
from shared.runtime.logging import get_logger

ASSIGNMENT_POLL_S = 0.1
STORE_RETRY_S = 0.5
EXIT_FATAL = 70

logger = get_logger()


class PartitionOwner(Protocol):
    """What a service does with a partition that it owns. Used by one thread."""

    def step(self) -> None:
        """Wait shortly for input, handle what there is. StoreUnavailableError: nothing was lost, call again."""
        ...

    def close(self) -> None:
        """Let go; the claim itself is closed by the loop."""
        ...


class ClaimLoop:
    """
    Keeps one thread per assigned partition, each with its claim and its owner.

    Any failure other than a store that is away ends the process: its successor restores from the log (design §4).
    """

    def __init__(self, log: Log, station: Station, own: Callable[[Claim], PartitionOwner]) -> None:
        """`own` builds the service's side of a claim, inside the partition's thread."""
        self._log = log
        self._station = station
        self._own = own
        self._threads: dict[int, tuple[threading.Thread, threading.Event]] = {}
        self.ready = threading.Event()
        for counter in (metrics.STORE_UNAVAILABLE, metrics.DEAD_LETTERS):
            counter.labels(station.service)  # shown as 0 from the start: a counter born at 1 shows no increase

    def run(self, stop: threading.Event) -> None:
        """Until `stop`: follow the assignment."""
        membership = self._log.join(self._station)
        try:
            while not stop.wait(ASSIGNMENT_POLL_S):
                self._follow(membership.assignment())
        finally:
            self._follow(frozenset())
            membership.close()

    def _follow(self, assigned: frozenset[int]) -> None:
        for partition in self._threads.keys() - assigned:
            thread, stop = self._threads.pop(partition)
            stop.set()
            thread.join()
            logger.info("partition_released", service=self._station.service, partition=partition)
        for partition in sorted(assigned - self._threads.keys()):
            stop = threading.Event()
            thread = threading.Thread(
                target=self._serve, args=(partition, stop), name=f"claim-{partition}", daemon=True
            )
            self._threads[partition] = (thread, stop)
            thread.start()
        metrics.CLAIMS.labels(self._station.service).set(len(self._threads))
        if assigned:
            self.ready.set()

    def _serve(self, partition: int, stop: threading.Event) -> None:
        try:
            claim = self._log.claim(self._station, partition)
            owner = self._own(claim)
            logger.info("partition_claimed", service=self._station.service, partition=partition, keys=len(claim.state))
            while not stop.is_set():
                try:
                    owner.step()
                except StoreUnavailableError as error:
                    metrics.STORE_UNAVAILABLE.labels(self._station.service).inc()
                    logger.warning("store_unavailable", service=self._station.service, error=str(error))
                    stop.wait(STORE_RETRY_S)
            owner.close()
            claim.close()
        except Exception:
            logger.exception("partition_failed", service=self._station.service, partition=partition)
            os._exit(EXIT_FATAL)
