"""Owning one partition: an epoch that fences, the state as restored, and commits that happen entirely or not at all."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from shared.contracts.topics import POSITION_KEY, Station
from shared.decoders import json_decoder
from shared.engines.embedded.database import Database
from shared.engines.embedded.records import Records
from shared.engines.position import Position
from shared.errors import FencedError, LogUnavailableError
from shared.ports.log import NewRecord, Record, StateChange

SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    service TEXT NOT NULL, partition INTEGER NOT NULL, epoch INTEGER NOT NULL, holder TEXT,
    PRIMARY KEY (service, partition))
"""
POLL_S = 0.005
IDLE_POLL_S = 0.05
IDLE_AFTER_S = 1.0
PAGE = 500

AtPoint = Callable[[str], None]
"""Told the name of each place inside a commit where a test may have the process die."""


class EmbeddedClaim:
    """A claim on one partition of one service. See `shared.ports.log.Claim`."""

    def __init__(
        self,
        database: Database,
        records: Records,
        station: Station,
        partition: int,
        *,
        service: str,
        holder: str,
        when_idle: Callable[[], None],
        at_point: AtPoint = lambda _: None,
    ) -> None:
        """
        Fence whoever owned it, then restore.

        Args:
            when_idle: Called while there is nothing to read.
            at_point: For tests: called inside every commit, as `service.decided` and `service.stated`.
        """
        self.partition = partition
        self._database = database
        self._records = records
        self._station = station
        self._service = service
        self._when_idle = when_idle
        self._at_point = at_point
        self._fenced: str | None = None
        self._epoch = self._take(holder)
        with database.snapshot() as connection:
            state = records.restore(connection, station.state, partition)
        recorded = json_decoder(Position).decode(state.pop(POSITION_KEY, b"{}"))
        self.state: Mapping[bytes, bytes] = state
        self.position: Mapping[str, int] = recorded.inputs
        self._ends = recorded.ends
        begins = {topic: records.span(topic, partition).begin for topic in station.inputs}
        # What was never read counts from 0: a partition whose beginning is gone is never silently "the earliest".
        self._next = {topic: recorded.inputs.get(topic, 0) for topic in station.inputs}
        self.lost: Mapping[str, int] = {
            topic: begins[topic] - offset for topic, offset in self._next.items() if begins[topic] > offset
        }
        self._idle_at_s = time.monotonic() + IDLE_AFTER_S

    def tail(self) -> Sequence[Record]:
        """Output records of this partition beyond the ends recorded at the last commit."""
        found: list[Record] = []
        for topic in self._station.outputs:
            offset = self._ends.get(topic, 0)
            while page := self._records.page(topic, self.partition, offset, PAGE):
                found += page
                offset = page[-1].offset + 1
        return found

    def read(self, timeout_s: float) -> Sequence[Record]:
        """The next input records, in order per topic; empty after `timeout_s` seconds."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            version = self._database.version()  # asked first: what is committed from here on changes it
            if found := self._next_records():
                self._idle_at_s = time.monotonic() + IDLE_AFTER_S
                return found
            self._when_idle()
            if not self._wakes(version, deadline_s):
                return ()

    def commit(self, outputs: Sequence[NewRecord], state: Sequence[StateChange], position: Mapping[str, int]) -> int:
        """Append outputs, state and position in one transaction. Raises FencedError; the claim is then dead."""
        if self._fenced is not None:
            raise FencedError(self._fenced)
        inputs = {**self.position, **position}
        try:
            with self._database.write() as connection:
                self._check_epoch(connection)
                self._records.add(connection, outputs)
                self._at_point(f"{self._station.service}.decided")
                self._records.add(connection, [self._state_record(change.key, change.value) for change in state])
                touched = {(record.topic, record.partition) for record in outputs}
                self._records.burn(connection, touched)
                ends = self._records.ends(connection, self._station.outputs, self.partition)
                record = self._state_record(POSITION_KEY, msgspec.json.encode(Position(inputs, ends)))
                offset = self._records.add(connection, [record])
                self._records.burn(connection, [(self._station.state, self.partition)])
                self._at_point(f"{self._station.service}.stated")
        except (FencedError, LogUnavailableError) as error:
            self._fenced = str(error)
            raise FencedError(self._fenced) from error
        self.position, self._ends = inputs, ends
        return offset

    def close(self) -> None:
        """Give the partition back, unless somebody took it."""
        self._fenced = "this claim was closed: claim the partition again"
        with self._database.write() as connection:
            connection.execute(
                "UPDATE claims SET holder = NULL WHERE service = ? AND partition = ? AND epoch = ?",
                (self._service, self.partition, self._epoch),
            )

    def _take(self, holder: str) -> int:
        with self._database.write() as connection:
            [(epoch,)] = connection.execute(
                "INSERT INTO claims VALUES (?, ?, 1, ?) ON CONFLICT (service, partition)"
                " DO UPDATE SET epoch = epoch + 1, holder = excluded.holder RETURNING epoch",
                (self._service, self.partition, holder),
            ).fetchall()
        return int(epoch)

    def _check_epoch(self, connection: sqlite3.Connection) -> None:
        query = "SELECT epoch FROM claims WHERE service = ? AND partition = ?"
        [(epoch,)] = connection.execute(query, (self._service, self.partition)).fetchall()
        if epoch != self._epoch:
            message = f"partition {self.partition} of {self._service} was claimed by another: end this process"
            raise FencedError(message)

    def _state_record(self, key: bytes, value: bytes | None) -> NewRecord:
        return NewRecord(self._station.state, self.partition, key, value)

    def _next_records(self) -> list[Record]:
        found: list[Record] = []
        for topic, offset in self._next.items():
            if page := self._records.page(topic, self.partition, offset, PAGE):
                self._next[topic] = page[-1].offset + 1
                found += page
        return found

    def _wakes(self, version: int, deadline_s: float) -> bool:
        """Wait until somebody has committed; False when the time is over."""
        while (now_s := time.monotonic()) < deadline_s:
            pause_s = POLL_S if now_s < self._idle_at_s else IDLE_POLL_S
            time.sleep(min(pause_s, deadline_s - now_s))
            if self._database.version() != version:
                return True
        return False
