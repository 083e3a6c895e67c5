"""Decides recorded observations again, and compares what that gives with what was published. Pure but for keys; writes nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import msgspec

from services.room_status.deciding.batch import SOURCE_HEADER, KeysOf, decide
from services.room_status.deciding.fold import DecisionRules, fold
from services.room_status.deciding.memory import Memory
from services.room_status.replaying.history import source_offset
from services.room_status.replaying.rules_versions import is_same_event, rules_version_of
from services.room_status.replaying.slices import Slices, cut_into_slices, run_slices
from shared.contracts.envelope import read_json
from shared.contracts.room_declined import RoomDeclined
from shared.ports.log import NewRecord, Record, StateChange

REPAIRS_HEADER = "repairs-position"
"""On a repaired decline: the observation that it was made upon, while its source position is the place on `repairs`."""


@dataclass(frozen=True, slots=True)
class DeclineEvent:
    """One decline event, redone or as published."""

    id: str
    tenant: str
    value: bytes
    source: int | None
    """Offset of the observation it was made upon; None on the topic when nothing says so."""
    record: NewRecord | Record

    def equals(self, published: DeclineEvent) -> bool:
        """Whether the published decline is this one, under the rules version that it names."""
        now, then = rules_version_of(self.record), rules_version_of(published.record)
        return is_same_event(self.value, published.value, now=now, then=then)


@dataclass(slots=True)
class Redone:
    """What a range of observations gives."""

    declines: list[DeclineEvent] = field(default_factory=list)
    memory: dict[bytes, bytes] = field(default_factory=dict)
    """The meetings' states after the range."""
    observations: int = 0
    forgotten: set[int] = field(default_factory=set)
    """Offsets of observations whose tenant's key was destroyed."""
    unreadable: int = 0
    """Observations that are dead letters."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Redone declines compared with published ones, by id."""

    same: Sequence[DeclineEvent]
    missing: Sequence[DeclineEvent]
    """Redone; the topic lacks it although its observation was passed."""
    undecided: Sequence[DeclineEvent]
    """Redone; the owner has not come so far."""
    spurious: Sequence[DeclineEvent]
    """Told of this range; redoing it does not give it."""
    differing: Sequence[DeclineEvent]
    """Redone with other bytes than the topic has."""
    repeated: Sequence[DeclineEvent]
    """Told of this range more than once."""
    erased: Sequence[DeclineEvent]
    """Told of this range by an organisation whose key was destroyed since: it cannot be redone."""

    @property
    def equal(self) -> bool:
        """Whether the range gives what was published, byte for byte; under an earlier rules version, field for field."""
        return not (self.missing or self.undecided or self.spurious or self.differing or self.repeated)


def redo(
    pages: Iterable[Sequence[Record]],
    memory: Mapping[bytes, bytes],
    *,
    partition: int,
    keys_of: KeysOf,
    rules: DecisionRules = fold,
    swept: Iterable[tuple[int, bytes, bytes | None]] = (),
) -> Redone:
    """
    Fold observations again.

    Args:
        pages: The observations, in order.
        memory: The meetings' states before the first of them.
        rules: Another fold than the product's own shows what it would change.
        swept: What sweeps did on the way: before the observation at which offset, to which key, and what stands there since.
    """
    return run_slices(redo_in_slices(pages, memory, partition=partition, keys_of=keys_of, rules=rules, swept=swept))


def redo_in_slices(
    pages: Iterable[Sequence[Record]],
    memory: Mapping[bytes, bytes],
    *,
    partition: int,
    keys_of: KeysOf,
    rules: DecisionRules = fold,
    swept: Iterable[tuple[int, bytes, bytes | None]] = (),
) -> Slices[Redone]:
    """As `redo`, a few observations a slice."""
    redone, remembered = Redone(), Memory(memory)
    waiting = deque(swept)
    for page in _between(pages, {offset for offset, _, _ in waiting}):
        while waiting and waiting[0][0] <= page[0].offset:
            _, key, value = waiting.popleft()
            remembered.apply([StateChange(key, value)])
        rest = page
        while rest:
            yield
            batch = decide(rest, remembered, partition=partition, keys_of=keys_of, told=frozenset(), rules=rules)
            rest = rest[batch.handled :]
            remembered.apply(batch.changes)
            redone.declines += map(decline, batch.decisions)
            redone.forgotten |= {record.offset for record in batch.forgotten}
            redone.unreadable += len(batch.malformed)
        redone.observations += len(page)
    redone.memory = dict(remembered)
    return redone


def _between(pages: Iterable[Sequence[Record]], offsets: Collection[int]) -> Iterator[Sequence[Record]]:
    """The pages, cut so that each of `offsets` falls between two of them."""
    bounds = sorted(offsets)
    for page in pages:
        for _, part in groupby(page, lambda record: bisect_right(bounds, record.offset)):
            yield from cut_into_slices(list(part))


def decline(record: NewRecord | Record) -> DeclineEvent:
    """What a record of `room-rejections` says. Raises MalformedRecordError."""
    value = record.value or b""
    event = read_json(value, RoomDeclined)
    headers = dict(record.headers)
    position = headers.get(REPAIRS_HEADER) or headers.get(SOURCE_HEADER)
    source = source_offset(position.decode()) if position else None
    return DeclineEvent(event.id, event.data.tenant_id, value, source, record)


def compare(redone: Redone, told: Sequence[DeclineEvent], *, begin: int, end: int, reached: int) -> Comparison:
    """
    Redone declines of observations [begin, end) against everything told in their partition.

    Args:
        reached: The owner had passed every observation below, and everything it said of them is in `told`.
    """
    by_id: dict[str, DeclineEvent] = {}
    for each in told:
        by_id.setdefault(each.id, each)
    given = {each.id for each in redone.declines}
    here = [each for each in told if each.source is not None and begin <= each.source < end]
    lacking = [each for each in redone.declines if each.id not in by_id]
    return Comparison(
        same=[each for each in redone.declines if each.id in by_id and each.equals(by_id[each.id])],
        missing=[each for each in lacking if (each.source or 0) < reached],
        undecided=[each for each in lacking if (each.source or 0) >= reached],
        spurious=[each for each in here if each.id not in given and each.source not in redone.forgotten],
        differing=[each for each in redone.declines if each.id in by_id and not each.equals(by_id[each.id])],
        repeated=[each for each in here if each is not by_id[each.id]],
        erased=[each for each in here if each.id not in given and each.source in redone.forgotten],
    )


def identity(each: DeclineEvent) -> dict[str, object]:
    """A decline for a report: by its pseudonyms, never by its bytes."""
    event = msgspec.json.decode(each.value, type=RoomDeclined)
    return {
        "id": each.id,
        "tenant": each.tenant,
        "room": event.data.room_id,
        "meeting": event.data.meeting_ref,
        "observedAt": event.data.observed_at,
        "partition": each.record.partition,
        "observation": each.source,
    }
