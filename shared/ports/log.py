"""
The record: partitioned, ordered, durable. One protocol for "once" (design §4).

Offsets are positions, not counts: they grow within a partition, and there may be gaps (a transaction's marker, a compacted
record). A position is always the offset of the *next* record to read. An isolation of `committed=True` hides records of
open and aborted commits; the embedded engine never shows those at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.topics import Station

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class NewRecord:
    """To be appended. `value=None` is a tombstone. `partition` is explicit: see `partition_of`."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Append:
    """Records that are durable together or not at all as far as anybody may say, and what to call then."""

    records: Sequence[NewRecord]
    settle: Callable[[Exception | None], None]
    """Called once: with None when every record is durable, else with why not. By any thread, which it must not keep."""


@dataclass(frozen=True, slots=True)
class Record:
    """As it stands in the log. `appended_at_ms` is the log's own clock, for replay by time, never for deciding."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Headers
    appended_at_ms: int


@dataclass(frozen=True, slots=True)
class StateChange:
    """One key of the claim's state topic. `value=None` deletes."""

    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Span:
    """Where a partition begins (retention may have moved it) and the next offset to be written, as a reader sees it."""

    begin: int
    end: int


class Claim(Protocol):
    """
    Exclusive ownership of one partition of one service, from `Log.claim` until `close` or until another claims it.

    Used by one thread. After FencedError it is dead, and so is its process.
    """

    partition: int
    position: Mapping[str, int]
    """Input topic → where input resumes; a topic without an entry resumes at its beginning."""
    state: Mapping[bytes, bytes]
    """The state topic's partition as restored: key → value. The owner takes it over and keeps it up to date by itself; it may
    be emptied once it has been read, so that it is not held twice."""
    lost: Mapping[str, int]
    """Input topic → how many offsets retention took before they were read. Not empty: alarm, everything becomes due."""

    def tail(self) -> Sequence[Record]:
        """
        Committed output records of this partition beyond the end recorded at the last commit: a torn predecessor's decisions.

        Means something only where this claim's owner alone writes the outputs' partition (room_status).
        """
        ...

    def read(self, timeout_s: float) -> Sequence[Record]:
        """
        The next input records after `position` or after what `read` last returned, in order per topic.

        Returns an empty sequence after `timeout_s`. Wakes early when input arrives. Raises FencedError.
        """
        ...

    def commit(self, outputs: Sequence[NewRecord], state: Sequence[StateChange], position: Mapping[str, int]) -> int:
        """
        All or nothing, decisions before state: append `outputs`, then `state`, then the position.

        Args:
            outputs: For the station's output topics and this partition, or (observations) any partition.
            state: For the station's state topic, this partition.
            position: Input topic → next offset to read; topics not named keep theirs.

        Returns:
            The offset of the last record written to the state topic: what a view stores as applied. Committed readers see it
            at once, or a moment later.

        Raises:
            FencedError: another owns the partition, or nobody knows what became of the commit.
        """
        ...

    def close(self) -> None:
        """Give the partition back."""
        ...


class Membership(Protocol):
    """Belonging to a service's group of workers. Heartbeats run by themselves until `close`."""

    def assignment(self) -> frozenset[int]:
        """The partitions that are this worker's at the moment. Cheap; asked several times a second."""
        ...

    def close(self) -> None:
        """Leave, so that others take over at once."""
        ...


class Log(Protocol):
    """The log of one deployment."""

    partitions: int
    """How many partitions every topic has. Fixed when the topics are made."""

    def append(self, records: Sequence[NewRecord]) -> None:
        """
        Append outside any claim. Returns only when every record is on all in-sync replicas; any may stand there twice.

        Raises:
            LogUnavailableError: within 2.2 s; some of `records` may stand in the log all the same, or appear later.
        """
        ...

    def begin_appends(self, appends: Sequence[Append]) -> None:
        """
        Do what `append` does for each of `appends` by itself, in as few writes as they fit in, perhaps without waiting.

        Each is settled as soon as it is durable or has failed, whatever becomes of the others. Settling may come after more
        than 2.2 s, or never: who calls this has a clock of its own.
        """
        ...

    def join(self, station: Station) -> Membership:
        """Become one of the workers of a service. Raises ConfigurationError: the topics have another number of partitions."""
        ...

    def claim(self, station: Station, partition: int) -> Claim:
        """Fence any older owner, restore the state up to its end as seen after fencing, and stand at the position."""
        ...

    def read(
        self, topic: str, partition: int, offset: int, *, limit: int = 500, committed: bool = True
    ) -> Sequence[Record]:
        """Up to `limit` records from `offset` on, without waiting for more. For views, tails, feeds and replay. Thread-safe."""
        ...

    def span(self, topic: str, partition: int, *, committed: bool = True) -> Span:
        """Where the partition begins and ends now."""
        ...

    def at_time(self, topic: str, partition: int, at_ms: int) -> int:
        """The offset of the first record appended at or after `at_ms`; the end when there is none."""
        ...

    def topic_id(self, topic: str) -> str:
        """Changes when the topic is deleted and made again: a view built on another id is worthless."""
        ...

    def probe(self) -> None:
        """Raises LogUnavailableError when the log cannot be reached now. At most 1 s."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
