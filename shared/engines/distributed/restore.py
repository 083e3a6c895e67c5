"""Reading a partition up to an end that is known beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.contracts.topics import POSITION_KEY
from shared.engines.distributed.clients import Clients, ConsumedRecord, Consumer, TopicPartition
from shared.engines.position import Position, decode_position
from shared.errors import LogUnavailableError

OFFSETS_MS = 5_000
STALL_S = 10.0
_POLL_MS = 20  # the last batch is a commit marker: a poll that finds only that waits its time out
_CHUNK = 10_000


def read_to_end(
    consumer: Consumer, where: TopicPartition, begin: int, end: int, take: Callable[[ConsumedRecord], None]
) -> None:
    """
    Give every record of [begin, end) to `take`.

    Raises:
        LogUnavailableError: nothing came for ten seconds.
    """
    consumer.assign([where])
    consumer.seek(where, begin)
    position, progress_at = begin, time.monotonic()
    while position < end:
        for record in consumer.poll(timeout_ms=_POLL_MS, max_records=_CHUNK).get(where, ()):
            if record.offset < end:
                take(record)
        reached = consumer.position(where)
        if reached > position:
            position, progress_at = reached, time.monotonic()
        elif time.monotonic() - progress_at > STALL_S:
            message = f"{where.topic}/{where.partition} stands still at {position} of {end}; look at the brokers"
            raise LogUnavailableError(message)


def bounds(consumer: Consumer, partitions: list[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Where partitions begin and end for this consumer. Raises KafkaError."""
    begins = consumer.beginning_offsets(partitions, timeout_ms=OFFSETS_MS)
    ends = consumer.end_offsets(partitions, timeout_ms=OFFSETS_MS)
    return {where: (begins[where], ends[where]) for where in partitions}


def restore_state(clients: Clients, topic: str, partition: int) -> tuple[dict[bytes, bytes], Position]:
    """
    The state as committed up to the end as it stands now: call it after fencing.

    Raises:
        LogUnavailableError: the topic cannot be read to its end.
        KafkaError: the brokers cannot be asked.
    """
    where = TopicPartition(clients.topic(topic), partition)
    state: dict[bytes, bytes] = {}
    consumer = clients.consumer(committed=True, max_wait_ms=_POLL_MS, max_partition_fetch_bytes=16 * 1024 * 1024)
    try:
        begin, end = bounds(consumer, [where])[where]
        read_to_end(consumer, where, begin, end, lambda record: _fold(state, record))
    finally:
        consumer.close()
    return state, decode_position(state.pop(POSITION_KEY, None))


def _fold(state: dict[bytes, bytes], record: ConsumedRecord) -> None:
    key = record.key or b""
    if record.value is None:
        state.pop(key, None)
    else:
        state[key] = record.value
