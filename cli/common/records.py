"""Reading a topic's partition to its end, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from shared.ports.log import Log, Record

_PAGE = 500


def records_from(log: Log, topic: str, partition: int, offset: int) -> Iterator[Record]:
    """Committed records from `offset` to the end as it is now. Raises LogUnavailableError."""
    while page := log.read(topic, partition, offset, limit=_PAGE):
        yield from page
        offset = page[-1].offset + 1


def all_records(log: Log, topic: str, partition: int) -> Iterator[Record]:
    """Everything that is kept of a partition. Raises LogUnavailableError."""
    return records_from(log, topic, partition, log.span(topic, partition).begin)
