"""Decides recorded observations again, and compares what that gives with what was published. Pure but for keys; writes nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import msgspec

from services.room_status.deciding.announcement import outcome_event
from services.room_status.deciding.decision import KeysOf, decide
from services.room_status.deciding.fold import RULES_VERSION, DecisionRules, fold, fold_without_outcomes, is_fold
from services.room_status.deciding.memory import Memory
from services.room_status.deciding.outcomes import endings_between
from services.room_status.deciding.publications import RULES_HEADER, SOURCE_HEADER
from services.room_status.replaying.history import source_offset
from services.room_status.replaying.rules_versions import is_same_event, rules_version_of
from services.room_status.replaying.slices import Slices, cut_into_slices, run_slices
from shared.contracts.envelope import read_json
from shared.contracts.meeting_state import MeetingRecord, parts_of
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import ROOM_OUTCOMES
from shared.crypto.meetings import open_meeting
from shared.decoders import json_decoder
from shared.domain.identity import tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import NewRecord, Record, StateChange

REPAIRS_HEADER = "repairs-position"
"""On a repaired decline: the observation that it was made upon, while its source position is the place on `repairs`."""


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One decline or closing event, redone or as published."""

    id: str
    tenant: str
    value: bytes
    source: int | None
    """Offset of the observation it was made upon; None when nothing says so: time or a person's act made it."""
    record: NewRecord | Record

    def equals(self, published: PublicEvent) -> bool:
        """Whether the published event is this one, under the rules version that it names."""
        now, then = rules_version_of(self.record), rules_version_of(published.record)
        return is_same_event(self.value, published.value, now=now, then=then)


@dataclass(slots=True)
class Redone:
    """What a range of observations gives."""

    declines: list[PublicEvent] = field(default_factory=list)
    outcomes: list[PublicEvent] = field(default_factory=list)
    """How declines ended: as the observations give it, and as the records show that time and people's acts closed them."""
    outcomes_from: int = 0
    """Earlier observations were decided by rules that published no outcomes, the last time that their meetings changed."""
    memory: dict[bytes, bytes] = field(default_factory=dict)
    """The meetings' states after the range."""
    observations: int = 0
    forgotten: set[int] = field(default_factory=set)
    """Offsets of observations whose tenant's key was destroyed."""
    unreadable: int = 0
    """Observations that are dead letters."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Redone events compared with published ones, by id."""

    same: Sequence[PublicEvent]
    missing: Sequence[PublicEvent]
    """Redone; the topic lacks it although its observation was passed."""
    undecided: Sequence[PublicEvent]
    """Redone; the owner has not come so far."""
    spurious: Sequence[PublicEvent]
    """Told of this range; redoing it does not give it."""
    differing: Sequence[PublicEvent]
    """Redone with other bytes than the topic has."""
    repeated: Sequence[PublicEvent]
    """Told of this range more than once."""
    erased: Sequence[PublicEvent]
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
    outcomes_from: int = 0,
) -> Redone:
    """
    Fold observations again.

    Args:
        pages: The observations, in order.
        memory: The meetings' states before the first of them.
        rules: Another fold than the product's own shows what it would change.
        swept: What sweeps did on the way: before the observation at which offset, to which key, and what stands there since.
        outcomes_from: Earlier observations were decided by rules that published no outcomes.
    """
    slices = redo_in_slices(
        pages, memory, partition=partition, keys_of=keys_of, rules=rules, swept=swept, outcomes_from=outcomes_from
    )
    return run_slices(slices)


def redo_in_slices(
    pages: Iterable[Sequence[Record]],
    memory: Mapping[bytes, bytes],
    *,
    partition: int,
    keys_of: KeysOf,
    rules: DecisionRules = fold,
    swept: Iterable[tuple[int, bytes, bytes | None]] = (),
    outcomes_from: int = 0,
) -> Slices[Redone]:
    """As `redo`, a few observations a slice."""
    redone, remembered = Redone(outcomes_from=outcomes_from), Memory(memory)
    waiting, reached = deque(swept), 0
    for page in _between(pages, {outcomes_from, *(offset for offset, _, _ in waiting)}):
        applied = fold_without_outcomes if is_fold(rules) and page[0].offset < outcomes_from else rules
        while waiting and waiting[0][0] <= page[0].offset:
            _sweep(redone, remembered, waiting.popleft(), partition, keys_of, outcomes_from)
        rest = page
        while rest:
            yield
            batch = decide(rest, remembered, partition=partition, keys_of=keys_of, told=frozenset(), rules=applied)
            rest = rest[batch.handled :]
            remembered.apply(batch.changes)
            redone.declines += map(decline, batch.decisions)
            redone.outcomes += map(outcome, batch.outcomes)
            redone.forgotten |= {record.offset for record in batch.forgotten}
            redone.unreadable += len(batch.malformed)
        redone.observations += len(page)
        reached = page[-1].offset + 1
    redone.memory = dict(remembered)
    while waiting and waiting[0][0] <= reached:
        _sweep(redone, remembered, waiting.popleft(), partition, keys_of, outcomes_from)
    return redone


def _sweep(
    redone: Redone,
    remembered: Memory,
    change: tuple[int, bytes, bytes | None],
    partition: int,
    keys_of: KeysOf,
    outcomes_from: int,
) -> None:
    """Do what a sweep or a dismissal did to a record: the record shows which declines that closed."""
    place, key, value = change
    mailbox = parts_of(key)[1]
    before = remembered.get(key)
    if before is not None and not mailbox and not place <= outcomes_from > 0:
        redone.outcomes += _outcomes_between(key, before, value, partition, tenant_of_key(key), keys_of)
    remembered.apply([StateChange(key, value)])


def _outcomes_between(
    key: bytes, before: bytes, after: bytes | None, partition: int, tenant: str, keys_of: KeysOf
) -> list[PublicEvent]:
    try:
        keys = keys_of(tenant)
        earlier = open_meeting(key, before, keys).record
        now = open_meeting(key, after, keys).record if after is not None else None
    except (KeyDestroyedError, MalformedRecordError):
        return []
    return [
        outcome(NewRecord(ROOM_OUTCOMES.name, partition, key, value, ((RULES_HEADER, str(RULES_VERSION).encode()),)))
        for value in _encode_endings(earlier, now, keys)
    ]


def _encode_endings(earlier: MeetingRecord, now: MeetingRecord | None, keys: TenantKeys) -> Iterator[bytes]:
    for ending in endings_between(earlier, now, keys):
        yield msgspec.json.encode(outcome_event(ending, earlier.meeting, keys))


def _between(pages: Iterable[Sequence[Record]], offsets: Collection[int]) -> Iterator[Sequence[Record]]:
    """The pages, cut so that each of `offsets` falls between two of them."""
    bounds = sorted(offsets)
    for page in pages:
        for _, part in groupby(page, lambda record: bisect_right(bounds, record.offset)):
            yield from cut_into_slices(list(part))


def decline(record: NewRecord | Record) -> PublicEvent:
    """What a record of `room-rejections` says. Raises MalformedRecordError."""
    event = read_json(record.value or b"", RoomDeclined)
    return _event(event.id, event.data.tenant_id, record)


def outcome(record: NewRecord | Record) -> PublicEvent:
    """What a record of `room-outcomes` says. Raises MalformedRecordError."""
    event = read_json(record.value or b"", RoomOutcome)
    return _event(event.id, event.data.tenant_id, record)


def _event(event_id: str, tenant: str, record: NewRecord | Record) -> PublicEvent:
    """With the offset of the observation that it followed from, if the record names one."""
    headers = dict(record.headers)
    position = headers.get(REPAIRS_HEADER) or headers.get(SOURCE_HEADER)
    source = source_offset(position.decode()) if position else None
    return PublicEvent(event_id, tenant, record.value or b"", source, record)


def compare(redone: Redone, told: Sequence[PublicEvent], *, begin: int, end: int, reached: int) -> Comparison:
    """
    Redone declines of observations [begin, end) against everything told in their partition.

    Args:
        reached: The owner had passed every observation below, and everything it said of them is in `told`.
    """
    return _compare(redone.declines, told, redone.forgotten, begin=begin, end=end, reached=reached)


def compare_outcomes(redone: Redone, told: Sequence[PublicEvent], *, begin: int, end: int, reached: int) -> Comparison:
    """As `compare`, of how declines ended. Those of before a return to earlier rules cannot be given again."""
    found = _compare(redone.outcomes, told, redone.forgotten, begin=begin, end=end, reached=reached)
    return replace(found, spurious=[each for each in found.spurious if (each.source or 0) >= redone.outcomes_from])


def _compare(
    redone: Sequence[PublicEvent],
    told: Sequence[PublicEvent],
    forgotten: Collection[int],
    *,
    begin: int,
    end: int,
    reached: int,
) -> Comparison:
    by_id: dict[str, PublicEvent] = {}
    for each in told:
        by_id.setdefault(each.id, each)
    given = {each.id for each in redone}
    here = [each for each in told if each.source is not None and begin <= each.source < end]
    timed = [each for each in told if each.source is None and each.id in given]
    lacking = [each for each in redone if each.id not in by_id]
    return Comparison(
        same=[each for each in redone if each.id in by_id and each.equals(by_id[each.id])],
        missing=[each for each in lacking if (each.source or 0) < reached],
        undecided=[each for each in lacking if (each.source or 0) >= reached],
        spurious=[each for each in here if each.id not in given and each.source not in forgotten],
        differing=[each for each in redone if each.id in by_id and not each.equals(by_id[each.id])],
        repeated=[each for each in [*here, *timed] if each is not by_id[each.id]],
        erased=[each for each in here if each.id not in given and each.source in forgotten],
    )


def identity(each: PublicEvent) -> dict[str, object]:
    """A decline for a report: by its pseudonyms, never by its bytes."""
    event = json_decoder(RoomDeclined).decode(each.value)
    return {
        "id": each.id,
        "tenant": each.tenant,
        "room": event.data.room_id,
        "meeting": event.data.meeting_ref,
        "observedAt": event.data.observed_at,
        "partition": each.record.partition,
        "observation": each.source,
    }


def outcome_identity(each: PublicEvent) -> dict[str, object]:
    """How a decline ended, for a report: by its pseudonyms, never by its bytes."""
    event = json_decoder(RoomOutcome).decode(each.value)
    return {
        "id": each.id,
        "tenant": each.tenant,
        "room": event.data.room_id,
        "decline": event.data.decline_id,
        "reason": event.data.reason,
        "at": event.data.at,
        "partition": each.record.partition,
        "observation": each.source,
    }
