"""The decline events as they stand on the log: pages of them, and each by its id."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.envelope import read_json
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.topics import ROOM_REJECTIONS
from shared.errors import MalformedRecordError
from shared.ports.log import Log, Record
from shared.runtime.logging import get_logger

_TOPIC = ROOM_REJECTIONS.name
_READ = 500

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events, and where to go on."""

    records: Sequence[Record]
    next: Mapping[int, int]
    more: bool
    """Whether there is more to read right now."""
    incomplete: bool
    """Whether retention took events that this reader had not read yet."""


def batch(log: Log, after: Mapping[int, int], limit: int) -> Batch:
    """
    The next `limit` committed events, oldest first over all partitions, in order within each.

    Args:
        after: Next offset to read per partition; a partition without one begins at its beginning.
    """
    begins = {partition: log.span(_TOPIC, partition).begin for partition in range(log.partitions)}
    starts = {partition: max(after.get(partition, begin), begin) for partition, begin in begins.items()}
    incomplete = any(after.get(partition, begin) < begin for partition, begin in begins.items())
    found = [
        record
        for partition, start in starts.items()
        for record in log.read(_TOPIC, partition, start, limit=limit + 1)
        if record.value is not None
    ]
    found.sort(key=lambda record: (record.appended_at_ms, record.partition, record.offset))
    taken = _in_order(found, limit)
    ends = {record.partition: record.offset + 1 for record in taken}
    return Batch(taken, starts | ends, more=len(found) > len(taken), incomplete=incomplete)


class ByIdIndex:
    """Decline id → where it stands. In memory, grown by what was appended since it was last asked. Thread-safe."""

    def __init__(self, log: Log) -> None:
        """Empty until it is first asked."""
        self._log = log
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int]] = {}
        self._next: dict[int, int] = {}
        self._topic_id = ""

    def find(self, decline_id: str) -> RoomDeclined | None:
        """The event; None when there is none, or retention has taken it. Raises LogUnavailableError."""
        with self._lock:
            self._catch_up()
            place = self._places.get(decline_id)
        if place is None:
            return None
        records = self._log.read(_TOPIC, place[0], place[1], limit=1)
        event = next((event_of(record) for record in records if record.offset == place[1]), None)
        return event if event is not None and event.id == decline_id else None

    def _catch_up(self) -> None:
        topic_id = self._log.topic_id(_TOPIC)
        if topic_id != self._topic_id:
            self._places, self._next, self._topic_id = {}, {}, topic_id
        for partition in range(self._log.partitions):
            span = self._log.span(_TOPIC, partition)
            self._forget(partition, span.begin)
            self._read(partition, max(self._next.get(partition, 0), span.begin))

    def _forget(self, partition: int, begin: int) -> None:
        gone = [name for name, place in self._places.items() if place[0] == partition and place[1] < begin]
        for name in gone:
            del self._places[name]

    def _read(self, partition: int, offset: int) -> None:
        while records := self._log.read(_TOPIC, partition, offset, limit=_READ):
            for record in records:
                event = event_of(record)
                if event is not None:
                    self._places.setdefault(event.id, (partition, record.offset))
            offset = records[-1].offset + 1
        self._next[partition] = offset


def event_of(record: Record) -> RoomDeclined | None:
    """Read a record; None (and a warning) when it is not a decline event of a version we know."""
    if record.value is None:
        return None
    try:
        return read_json(record.value, RoomDeclined)
    except MalformedRecordError as error:
        _log.warning("decline_unreadable", partition=record.partition, offset=record.offset, error=str(error))
        return None


def _in_order(found: Sequence[Record], limit: int) -> Sequence[Record]:
    """The first `limit`, without ever passing over an earlier record of the same partition (clocks may disagree)."""
    oldest: dict[int, list[Record]] = {}
    for record in sorted(found, key=lambda record: record.offset):
        oldest.setdefault(record.partition, []).append(record)
    return [oldest[record.partition].pop(0) for record in found[:limit]]
