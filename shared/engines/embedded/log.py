"""The log on one SQLite file; why it is built this way stands in docs/adr/0006-embedded-engine.md."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence

from shared.contracts.topics import TOPICS, Cleanup, Station, Topic
from shared.domain.instants import DAY_MS
from shared.engines.embedded import claim, membership
from shared.engines.embedded import records as records_
from shared.engines.embedded.claim import AtPoint, EmbeddedClaim
from shared.engines.embedded.database import Database
from shared.engines.embedded.membership import EmbeddedMembership
from shared.engines.embedded.records import Records
from shared.errors import LogUnavailableError
from shared.ports.clock import Clock
from shared.ports.log import Append, NewRecord, Record, Span

_HOUSEKEEPING = """
CREATE TABLE IF NOT EXISTS housekeeping (one INTEGER PRIMARY KEY, done_at_ms INTEGER NOT NULL);
INSERT OR IGNORE INTO housekeeping VALUES (1, 0)
"""
SCHEMA = f"{records_.SCHEMA};{claim.SCHEMA};{membership.SCHEMA};{_HOUSEKEEPING}"
HOUSEKEEPING_EVERY_MS = 300_000
_BATCH = 500  # deleted per transaction: writers wait a few milliseconds, not for the whole sweep


class EmbeddedLog:
    """A log in a file, for the processes of one machine. Aborted records are never visible: there are none."""

    def __init__(
        self,
        database: Database,
        *,
        partitions: int,
        prefix: str,
        clock: Clock,
        at_point: AtPoint = lambda _: None,
    ) -> None:
        """Make the topics that are missing. Raises ConfigurationError: made with another number of partitions."""
        self._at_point = at_point
        self.partitions = partitions
        self._database = database
        self._prefix = prefix
        self._clock = clock
        self._records = Records(database, partitions=partitions, prefix=prefix, clock=clock)
        self._holder = uuid.uuid4().hex
        self._memberships: list[EmbeddedMembership] = []
        self._next_look_ms = 0

    def append(self, records: Sequence[NewRecord]) -> None:
        """Append in one transaction, on disk on return. Raises LogUnavailableError: nothing was written."""
        with self._database.write() as connection:
            self._records.add(connection, records)

    def begin_appends(self, appends: Sequence[Append]) -> None:
        """Append all of them in one transaction; all are settled on return."""
        failure: Exception | None = None
        try:
            self.append([record for one in appends for record in one.records])
        except Exception as error:  # noqa: BLE001  # each of them gets it
            failure = error
        for one in appends:
            one.settle(failure)

    def join(self, station: Station) -> EmbeddedMembership:
        """Become one of the workers of a service."""
        service = self._prefix + station.service
        joined = EmbeddedMembership(self._database, service, partitions=self.partitions, process=self._holder)
        self._memberships.append(joined)
        return joined

    def claim(self, station: Station, partition: int) -> EmbeddedClaim:
        """Fence any older owner, then restore."""
        return EmbeddedClaim(
            self._database,
            self._records,
            station,
            partition,
            service=self._prefix + station.service,
            holder=self._holder,
            when_idle=self._housekeep_if_due,
            at_point=self._at_point,
        )

    def read(
        self, topic: str, partition: int, offset: int, *, limit: int = 500, committed: bool = True
    ) -> Sequence[Record]:
        """Up to `limit` records from `offset` on. `committed` makes no difference here."""
        del committed
        return self._records.page(topic, partition, offset, limit)

    def span(self, topic: str, partition: int, *, committed: bool = True) -> Span:
        """Where the partition begins and ends now."""
        del committed
        return self._records.span(topic, partition)

    def at_time(self, topic: str, partition: int, at_ms: int) -> int:
        """The offset of the first record appended at or after `at_ms`; the end when there is none."""
        return self._records.at_time(topic, partition, at_ms)

    def topic_id(self, topic: str) -> str:
        """Made with the topic; another file has another."""
        self._records.lane(topic, 0)
        return self._records.topic_ids[topic]

    def probe(self) -> None:
        """Take the write lock and give it back: raises LogUnavailableError when nothing can be written now."""
        with self._database.write() as connection:
            connection.execute("SELECT 1 FROM lanes LIMIT 1")

    def housekeep(self, now_ms: int) -> int:
        """
        Forget what the table of topics says is over at `now_ms`, and wipe it from the file.

        Returns how many records were removed. Safe at any time, from any process.
        """
        removed = sum(
            self._expire(topic, partition, now_ms)
            if topic.cleanup is Cleanup.DELETE
            else self._compact(topic, partition, now_ms)
            for topic in TOPICS
            for partition in range(self.partitions)
        )
        if removed:
            with contextlib.suppress(LogUnavailableError):  # a reader is in the way: the next round wipes it
                self._database.forget()
        return removed

    def close(self) -> None:
        """Leave the groups that were joined and not left, then close the file. Idempotent."""
        while self._memberships:
            with contextlib.suppress(LogUnavailableError):  # the lease then runs out by itself
                self._memberships.pop().close()
        self._database.close()

    def _expire(self, topic: Topic, partition: int, now_ms: int) -> int:
        removed = 0
        while offsets := self._records.expired(topic.name, partition, now_ms - topic.retention_ms, _BATCH):
            self._records.remove(topic.name, partition, offsets, first=offsets[-1] + 1)
            removed += len(offsets)
        return removed

    def _compact(self, topic: Topic, partition: int, now_ms: int) -> int:
        before_ms = now_ms - topic.compaction_lag_ms
        offsets = self._records.superseded(
            topic.name, partition, before_ms=before_ms, tombstones_before_ms=now_ms - DAY_MS
        )
        for start in range(0, len(offsets), _BATCH):
            self._records.remove(topic.name, partition, offsets[start : start + _BATCH])
        return len(offsets)

    def _housekeep_if_due(self) -> None:
        """Once per interval for the whole deployment, whichever claim comes first."""
        now_ms = self._clock.now_ms()
        if now_ms < self._next_look_ms:
            return
        self._next_look_ms = now_ms + HOUSEKEEPING_EVERY_MS
        with contextlib.suppress(LogUnavailableError):  # busy: later will do
            with self._database.write() as connection:
                due = connection.execute(
                    "UPDATE housekeeping SET done_at_ms = ? WHERE done_at_ms NOT BETWEEN ? AND ?",
                    (now_ms, now_ms - HOUSEKEEPING_EVERY_MS + 1, now_ms),
                ).rowcount
            if due:
                self.housekeep(now_ms)
