"""Belonging to a group of workers: a group consumer that never fetches, only tells which partitions are ours."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from shared.contracts.topics import Station
from shared.engines.distributed.clients import Clients, Consumer, KafkaError, RebalanceListener, TopicPartition

_log = logging.getLogger(__name__)

POLL_MS = 200  # below 10 ms a group consumer's poll never makes progress
SETTLE_S = 2.0
"""How long a partition is held back that a member of the group may have had: it learns of it first, and is not fenced in
mid-commit. Both hear of a rebalance at once; half a second was too short on a machine with a load of eight."""
_ERROR_PAUSE_S = 0.2


class GroupMembership:
    """See `shared.ports.log.Membership`. Partitions that a rebalance returns are never seen to leave."""

    def __init__(self, clients: Clients, station: Station, partitions: int) -> None:
        self._partitions = partitions
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}
        self._stop = threading.Event()
        self._consumer = clients.member(station.service)
        self._consumer.subscribe([clients.topic(station.inputs[0])], listener=_Listener(self._consumer, self._assigned))
        self._thread = threading.Thread(target=self._run, name=f"member-{station.service}", daemon=True)
        self._thread.start()

    def assignment(self) -> frozenset[int]:
        """The partitions that are ours; those that others of the group may have had are reported after two seconds."""
        now = time.monotonic()
        with self._lock:
            return frozenset(partition for partition, since in self._since.items() if since <= now)

    def close(self) -> None:
        """Leave, so that others take over at once. Idempotent."""
        self._stop.set()
        self._thread.join()
        with self._lock:
            self._since = {}

    @property
    def closed(self) -> bool:
        """Whether it has left."""
        return self._stop.is_set()

    def _assigned(self, partitions: Iterable[TopicPartition]) -> None:
        gained = [where.partition for where in partitions]
        now = time.monotonic()
        shown = now if len(gained) == self._partitions else now + SETTLE_S  # whoever has all is alone in the group
        with self._lock:
            self._since = {number: min(shown, self._since.get(number, shown)) for number in gained}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._consumer.poll(
                    timeout_ms=POLL_MS
                )  # records that slip in before the pause are nobody's: not counted on
            except KafkaError as error:  # a race in a rebalance may surface here; the next poll joins again
                # Its text: whoever keeps the record would keep the frames of the error, and their sockets, with it.
                _log.warning("group_poll_failed error=%s", repr(error))
                self._stop.wait(_ERROR_PAUSE_S)
        self._consumer.close()


class _Listener(RebalanceListener):  # type: ignore[misc]  # the client is untyped
    """Runs on the client's own thread."""

    def __init__(self, consumer: Consumer, assigned: Callable[[Iterable[TopicPartition]], None]) -> None:
        self._consumer = consumer
        self._tell = assigned

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: a rebalance may return the same partitions, and then the claim is kept. Fencing guards the rest."""

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take note, and fetch nothing."""
        self._consumer.pause(*assigned)
        self._tell(assigned)
