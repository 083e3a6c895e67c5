"""The decline events as they stand on the log: pages of them, and each by its id."""

from __future__ import annotations

import threading
from collections import OrderedDict
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
_MOST_PASSES = 8
"""How often a page of one organisation reads on past others' events."""
MAX_INDEXED = 500_000
"""About 100 MB; five days of a very large organisation's declines."""

_log = get_logger()


@dataclass(frozen=True, slots=True)
class DeclinePage:
    """Some events, and where to go on."""

    records: Sequence[Record]
    next: Mapping[int, int]
    more: bool
    """Whether there is more to read right now."""
    incomplete: bool
    """Whether retention took events that this reader had not read yet."""


def read_page(log: Log, after: Mapping[int, int], limit: int, tenant: str = "") -> DeclinePage:
    """
    The next committed events, oldest first over all partitions, in order within each.

    Args:
        log: Where they stand.
        after: Next offset to read per partition; a partition without one begins at its beginning.
        limit: How many at most.
        tenant: Whose; "" for everybody's. Others' are passed over, so many a page: fewer than `limit` may come although there
            is more.
    """
    page = _next_events(log, after, limit)
    kept, incomplete = _belonging(page.records, tenant), page.incomplete
    for _ in range(_MOST_PASSES):
        if not page.more or len(kept) >= limit or not tenant:
            break
        page = _next_events(log, page.next, limit - len(kept))
        kept += _belonging(page.records, tenant)
    return DeclinePage(kept, page.next, page.more, incomplete)


def _belonging(records: Sequence[Record], tenant: str) -> list[Record]:
    """Those of the tenant, by the key under which their owner wrote them."""
    start = f"{tenant}/".encode()
    return [record for record in records if not tenant or record.key.startswith(start)]


def _next_events(log: Log, after: Mapping[int, int], limit: int) -> DeclinePage:
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
    chosen = _in_order(found, limit)
    ends = {record.partition: record.offset + 1 for record in chosen}
    return DeclinePage(chosen, starts | ends, more=len(found) > len(chosen), incomplete=incomplete)


class DeclineIndex:
    """
    Decline id → position on the log, in memory, built as records are appended. Thread-safe.

    An id that is known costs one read of the log. An id that is not costs one read a partition, plus each record that was appended
    since the last such question, once in the life of the process. The index holds `most` positions; the oldest leave first.
    """

    def __init__(self, log: Log, most: int = MAX_INDEXED) -> None:
        """Start empty: the first question reads what retention has left."""
        self._log = log
        self._most = most
        self._lock = threading.Lock()
        self._positions: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._next: dict[int, int] = {}
        self._topic_id = ""

    def find(self, decline_id: str) -> RoomDeclined | None:
        """The event; None when there is none, or retention has taken it. Raises LogUnavailableError."""
        with self._lock:
            self._start_over_with_another_topic()
            if decline_id not in self._positions:
                self._catch_up()
            position = self._positions.get(decline_id)
            event = self._event_at(decline_id, position) if position else None
            if position and event is None:
                del self._positions[decline_id]
        return event

    def _event_at(self, decline_id: str, position: tuple[int, int]) -> RoomDeclined | None:
        partition, offset = position
        for record in self._log.read(_TOPIC, partition, offset, limit=1):
            event = parse_event(record) if record.offset == offset else None
            return event if event is not None and event.id == decline_id else None
        return None

    def _start_over_with_another_topic(self) -> None:
        topic_id = self._log.topic_id(_TOPIC)
        if topic_id != self._topic_id:
            self._positions.clear()
            self._next, self._topic_id = {}, topic_id

    def _catch_up(self) -> None:
        for partition in range(self._log.partitions):
            offset = self._next.get(partition)
            self._read_from(partition, self._log.span(_TOPIC, partition).begin if offset is None else offset)

    def _read_from(self, partition: int, offset: int) -> None:
        while records := self._log.read(_TOPIC, partition, offset, limit=_READ):
            for record in records:
                event = parse_event(record)
                if event is not None:
                    self._positions.setdefault(event.id, (partition, record.offset))
            offset = self._next[partition] = records[-1].offset + 1
            while len(self._positions) > self._most:
                self._positions.popitem(last=False)
        self._next[partition] = offset


def parse_event(record: Record) -> RoomDeclined | None:
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
