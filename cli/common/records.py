"""Reads a partition of a topic to its end, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from shared.ports.log import Log, Record

_PAGE = 500


def read_from(log: Log, topic: str, partition: int, offset: int) -> Iterator[Record]:
    """Yield committed records from `offset` to the present end. Raises LogUnavailableError."""
    while page := log.read(topic, partition, offset, limit=_PAGE):
        yield from page
        offset = page[-1].offset + 1


def read_all(log: Log, topic: str, partition: int) -> Iterator[Record]:
    """Yield every committed record that the partition keeps. Raises LogUnavailableError."""
    return read_from(log, topic, partition, log.span(topic, partition).begin)
