"""The records of all topics in one table: appending inside a transaction, and every way of reading."""

from __future__ import annotations

import sqlite3
import sys
import uuid
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

from shared.contracts.topics import TOPICS
from shared.decoders import msgpack_decoder
from shared.engines.embedded.database import Database
from shared.errors import ConfigurationError
from shared.ports.clock import Clock
from shared.ports.log import Headers, NewRecord, Record, Span

SCHEMA = """
CREATE TABLE IF NOT EXISTS lanes (
    lane INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, topic_id TEXT NOT NULL,
    first INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0, appended_at_ms INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, partition));
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL, value BLOB, headers BLOB, appended_at_ms INTEGER NOT NULL)
"""
_LANE_BITS = 40  # a record's id is its lane (a topic's partition) above its offset: ordered, and no second index
_headers = msgpack_decoder(Headers)


class Records:
    """
    The table of records. `lane` numbers are internal: one for each partition of each topic.

    Raises ConfigurationError when the file was made with another number of partitions.
    """

    def __init__(self, database: Database, *, partitions: int, prefix: str, clock: Clock) -> None:
        """Make the topics that are missing."""
        self._database = database
        self._clock = clock
        names = {prefix + topic.name: topic.name for topic in TOPICS}
        with database.write() as connection:
            _make(connection, list(names), partitions)
            rows = connection.execute("SELECT topic, partition, lane, topic_id FROM lanes").fetchall()
        found = [row for row in rows if row[0] in names]
        self._lanes: dict[tuple[str, int], int] = {
            (names[topic], partition): lane for topic, partition, lane, _ in found
        }
        self.topic_ids: dict[str, str] = {names[topic]: topic_id for topic, _, _, topic_id in found}

    def lane(self, topic: str, partition: int) -> int:
        """The lane of a partition. Raises ConfigurationError for one that does not exist."""
        try:
            return self._lanes[topic, partition]
        except KeyError:
            message = f"there is no partition {partition} of a topic {topic!r}: see `roomsync topics`"
            raise ConfigurationError(message) from None

    def add(self, connection: sqlite3.Connection, records: Iterable[NewRecord]) -> int:
        """Append inside the caller's transaction; returns the last offset given."""
        now_ms = self._clock.now_ms()
        offset = -1
        for record in records:
            lane = self.lane(record.topic, record.partition)
            # Never backwards within a partition, whatever the clock does: looking up by time bisects.
            [(offset, at_ms)] = connection.execute(
                "UPDATE lanes SET next = next + 1, appended_at_ms = max(appended_at_ms, ?) WHERE lane = ?"
                " RETURNING next - 1, appended_at_ms",
                (now_ms, lane),
            ).fetchall()
            headers = msgspec.msgpack.encode(record.headers) if record.headers else None
            connection.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?, ?)",
                (_id(lane, offset), record.key, record.value, headers, at_ms),
            )
        return offset

    def burn(self, connection: sqlite3.Connection, partitions: Iterable[tuple[str, int]]) -> None:
        """Skip an offset in each partition, as Kafka's markers do: nobody may rely on there being no gaps."""
        lanes = [(self.lane(topic, partition),) for topic, partition in partitions]
        connection.executemany("UPDATE lanes SET next = next + 1 WHERE lane = ?", lanes)

    def page(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Up to `limit` records from `offset` on."""
        lane = self.lane(topic, partition)
        rows = self._database.read(
            "SELECT id, key, value, headers, appended_at_ms FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (_id(lane, max(offset, 0)), _id(lane + 1, 0), limit),
        )
        return [
            Record(topic, partition, number - _id(lane, 0), key, value, _headers.decode(raw) if raw else (), at_ms)
            for number, key, value, raw, at_ms in rows
        ]

    def span(self, topic: str, partition: int) -> Span:
        """Where the partition begins and ends now."""
        [(first, end)] = self._database.read(
            "SELECT first, next FROM lanes WHERE lane = ?", (self.lane(topic, partition),)
        )
        return Span(first, end)

    def at_time(self, topic: str, partition: int, at_ms: int) -> int:
        """The offset of the first record appended at or after `at_ms`; the end when there is none."""
        span = self.span(topic, partition)
        offsets = range(span.begin, span.end)
        index = bisect_left(offsets, at_ms, key=lambda offset: self._appended_at_ms(topic, partition, offset))
        found = self.page(topic, partition, span.begin + index, 1)
        return found[0].offset if found else span.end

    def restore(self, connection: sqlite3.Connection, topic: str, partition: int) -> dict[bytes, bytes]:
        """The latest value of each key of a compacted topic's partition."""
        lane = self.lane(topic, partition)
        state: dict[bytes, bytes] = {}
        query = "SELECT key, value FROM records WHERE id >= ? AND id < ? ORDER BY id"
        for key, value in connection.execute(query, (_id(lane, 0), _id(lane + 1, 0))):
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value
        return state

    def ends(self, connection: sqlite3.Connection, topics: Sequence[str], partition: int) -> dict[str, int]:
        """The next offset of a partition of each topic, inside the caller's transaction."""
        query = "SELECT next FROM lanes WHERE lane = ?"
        return {topic: connection.execute(query, (self.lane(topic, partition),)).fetchone()[0] for topic in topics}

    def expired(self, topic: str, partition: int, before_ms: int, limit: int) -> list[int]:
        """Offsets of the oldest records, if they were appended before `before_ms`."""
        records = self.page(topic, partition, 0, limit)
        return [record.offset for record in records if record.appended_at_ms < before_ms]

    def superseded(self, topic: str, partition: int, *, before_ms: int, tombstones_before_ms: int) -> list[int]:
        """
        Offsets that a compaction may drop, oldest first.

        A record goes only when the one that replaces it is itself older than `before_ms`, so that the state of any
        later instant can still be had. The newest record of a key stays, unless it is a tombstone from before both times.
        """
        lane = self.lane(topic, partition)
        rows = self._database.read(
            "SELECT id FROM (SELECT id, value IS NULL AND appended_at_ms < ? AS dead,"
            " row_number() OVER (PARTITION BY key ORDER BY id DESC) AS age"
            " FROM records WHERE id >= ? AND id < ? AND appended_at_ms < ?) WHERE age > 1 OR dead ORDER BY id",
            (tombstones_before_ms, _id(lane, 0), _id(lane + 1, 0), before_ms),
        )
        return [number - _id(lane, 0) for (number,) in rows]

    def remove(self, topic: str, partition: int, offsets: Sequence[int], *, first: int | None = None) -> None:
        """Delete records, in one transaction; `first` is the partition's new beginning."""
        lane = self.lane(topic, partition)
        with self._database.write() as connection:
            connection.executemany("DELETE FROM records WHERE id = ?", [(_id(lane, offset),) for offset in offsets])
            if first is not None:
                connection.execute("UPDATE lanes SET first = max(first, ?) WHERE lane = ?", (first, lane))

    def _appended_at_ms(self, topic: str, partition: int, offset: int) -> int:
        found = self.page(topic, partition, offset, 1)
        return found[0].appended_at_ms if found else sys.maxsize


def _id(lane: int, offset: int) -> int:
    return (lane << _LANE_BITS) + offset


def _make(connection: sqlite3.Connection, topics: list[str], partitions: int) -> None:
    [(made,)] = connection.execute("SELECT count(*) FROM lanes WHERE topic = ?", (topics[0],)).fetchall()
    if made not in (0, partitions):
        message = (
            f"this data directory was made with {made} partitions and ROOMSYNC_PARTITIONS is {partitions}: set it back"
            f" to {made} (keys would change their partition), or start with an empty ROOMSYNC_HOME"
        )
        raise ConfigurationError(message)
    connection.executemany(
        "INSERT OR IGNORE INTO lanes (topic, partition, topic_id) VALUES (?, ?, ?)",
        [
            (topic, number, topic_id)
            for topic in topics
            for topic_id in [uuid.uuid4().hex]
            for number in range(partitions)
        ],
    )
