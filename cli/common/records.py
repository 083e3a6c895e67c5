"""Reads a partition of a topic to its end, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from shared.contracts.topics import POSITION_KEY
from shared.ports.log import Log, Record

_PAGE = 500


def read_from(log: Log, topic: str, partition: int, offset: int) -> Iterator[Record]:
    """Yield committed records from `offset` to the present end. Raises LogUnavailableError."""
    while page := log.read(topic, partition, offset, limit=_PAGE):
        yield from page
        offset = page[-1].offset + 1


def read_newest(log: Log, topic: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and newest value of what a compacted topic holds, without positions. Raises LogUnavailableError."""
    for partition in range(log.partitions):
        newest = {record.key: record.value for record in read_all(log, topic, partition)}
        newest.pop(POSITION_KEY, None)
        yield from ((key, value) for key, value in newest.items() if value is not None)


def read_all(log: Log, topic: str, partition: int) -> Iterator[Record]:
    """Yield every committed record that the partition keeps. Raises LogUnavailableError."""
    return read_from(log, topic, partition, log.span(topic, partition).begin)
