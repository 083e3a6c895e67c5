"""A batch of observations in, everything that has to be written out: the fold over records. Pure but for keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from services.room_status.deciding.announcement import room_status, status_key
from services.room_status.deciding.fold import RULES_VERSION, Change, Rules, fold, is_past
from shared.contracts import envelope as envelopes
from shared.contracts import meeting_state, observation
from shared.contracts.meeting_state import MeetingState
from shared.contracts.observation import Observation
from shared.contracts.topics import ROOM_REJECTIONS, ROOM_STATUS
from shared.crypto.records import open_envelope, opened, sealed_envelope
from shared.domain import trace
from shared.domain.instants import DAY_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import Headers, NewRecord, Record, StateChange
from shared.ports.view import Row

KeysOf = Callable[[str], TenantKeys]
KEEP_PAST_MS = DAY_MS
CORRELATION_HEADER = "correlation-id"
CLOUD_EVENT = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""How CloudEvents' binding for Kafka tells readers that the whole event stands in the value."""
SOURCE_HEADER = "source-position"
"""The input record that a decision was made upon: `topic/partition/offset`. Within a partition of decisions it only grows."""
RULES_HEADER = "rules-version"


@dataclass(slots=True)
class Batch:
    """What a poll's observations lead to, to be committed together."""

    decisions: list[NewRecord] = field(default_factory=list)
    statuses: list[NewRecord] = field(default_factory=list)
    states: dict[bytes, bytes | None] = field(default_factory=dict)
    changes: list[StateChange] = field(default_factory=list)
    """For the state topic: every change, not only the last of a key, so that the past can be had at any observation."""
    rows: dict[str, Row] = field(default_factory=dict)
    malformed: list[tuple[Record, str]] = field(default_factory=list)
    forgotten: list[Record] = field(default_factory=list)
    """Sealed by a key that was destroyed on purpose."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.states or self.decisions)

    def remember(self, key: bytes, value: bytes | None, row: Row) -> None:
        """A meeting changed, or (None) is over."""
        self.states[key] = value
        self.changes.append(StateChange(key, value))
        self.rows[key.decode()] = row


def decide(
    records: Sequence[Record],
    memory: Mapping[bytes, bytes],
    *,
    partition: int,
    keys_of: KeysOf,
    told: frozenset[str],
    rules: Rules = fold,
) -> Batch:
    """
    Fold `records` over `memory`.

    Args:
        memory: Meeting key → the bytes of its `meeting-state` record.
        keys_of: A tenant's keys; KeyDestroyedError means that its records are to be forgotten.
        told: Decline ids that a torn predecessor already put on the topic.
        rules: The fold; another one only where a replay asks what it would change.
    """
    batch = Batch()
    for record in records:
        try:
            _decide_one(record, memory, batch, partition, keys_of, told, rules)
        except MalformedRecordError as error:
            batch.malformed.append((record, str(error)))
    return batch


def sweep(memory: Mapping[bytes, bytes], *, now_ms: int, partition: int, keys_of: KeysOf) -> Batch:
    """
    Tombstones for meetings that are past for a day, and for those whose tenant's key is gone.

    A state that cannot be read is kept: the version that wrote it will come back, and would tell everything twice without.
    """
    batch = Batch()
    for key, value in memory.items():
        tenant = key.decode().partition("/")[0]
        try:
            meeting = opened(value, keys_of(tenant), MeetingState)
        except KeyDestroyedError:
            batch.remember(key, None, Row(key.decode(), (), None))
            continue
        except MalformedRecordError:
            continue
        if is_past(meeting, now_ms - KEEP_PAST_MS):
            batch.remember(key, None, Row(key.decode(), (), None))
            batch.statuses += [
                NewRecord(ROOM_STATUS.name, partition, status_key(tenant, room), None) for room in meeting.rooms
            ]
    return batch


def row_of(key: bytes, value: bytes, keys: TenantKeys) -> Row:
    """The view's row for a restored `meeting-state` record."""
    return _row(key.decode(), opened(value, keys, MeetingState), value, keys.tenant)


def _decide_one(
    record: Record,
    memory: Mapping[bytes, bytes],
    batch: Batch,
    partition: int,
    keys_of: KeysOf,
    told: frozenset[str],
    rules: Rules,
) -> None:
    envelope = envelopes.decode(record.value or b"")
    if envelope.type != observation.TYPE:
        message = f"a record of type {envelope.type!r} on observations: another version of the sync worker wrote it?"
        raise MalformedRecordError(message)
    try:
        keys = keys_of(envelope.tenant)
        seen = open_envelope(envelope, keys, Observation)
    except KeyDestroyedError:
        batch.forgotten.append(record)  # erased on purpose: nothing of it may be read, decided or kept
        return
    key = f"{keys.tenant}/{seen.meeting}".encode()
    value = batch.states.get(key, memory.get(key))
    meeting = _remembered(value, keys) or MeetingState(provider=seen.provider, meeting=seen.meeting)
    change = rules(meeting, seen, keys=keys)
    if change is None:
        return
    source = f"{record.topic}/{record.partition}/{record.offset}"
    now = msgspec.structs.replace(change.meeting, version=meeting.version + 1)
    sealed = sealed_envelope(
        keys,
        now,
        type=meeting_state.TYPE,
        id=source,
        correlation=envelope.correlation,
        causation=envelope.id,
    )
    batch.remember(key, sealed, _row(key.decode(), now, sealed, keys.tenant))
    headers = _followed(record, envelope.correlation, source)
    _announce(change, batch, key, partition, seen, headers, source, told, keys.tenant)


def _remembered(value: bytes | None, keys: TenantKeys) -> MeetingState | None:
    """The meeting's memory; one that an earlier, destroyed key sealed is as if it had never been."""
    try:
        return opened(value, keys, MeetingState) if value else None
    except KeyDestroyedError:
        return None


def _announce(
    change: Change,
    batch: Batch,
    key: bytes,
    partition: int,
    seen: Observation,
    headers: Headers,
    source: str,
    told: frozenset[str],
    tenant: str,
) -> None:
    why = ((SOURCE_HEADER, source.encode()), (RULES_HEADER, str(RULES_VERSION).encode()))
    batch.decisions += [
        NewRecord(ROOM_REJECTIONS.name, partition, key, msgspec.json.encode(decline), (*CLOUD_EVENT, *headers, *why))
        for decline in change.declines
        if decline.id not in told
    ]
    batch.statuses += [
        NewRecord(
            ROOM_STATUS.name,
            partition,
            status_key(tenant, room),
            msgspec.json.encode(room_status(room, change.meeting, tenant=tenant, observed_at_ms=seen.observed_at_ms)),
            headers,
        )
        for room in change.rooms
    ]


def _followed(record: Record, correlation: str, source: str) -> Headers:
    """What ties a decision to its journey. The same again, when the decision is made anew."""
    step = trace.from_headers(record.headers)
    named = ((CORRELATION_HEADER, correlation.encode()),) if correlation else ()
    return (*named, *(trace.headers(step.child(source)) if step else ()))


def _row(key: str, meeting: MeetingState, value: bytes, tenant: str) -> Row:
    return Row(key, tuple(sorted(f"{tenant}/{mailbox}" for mailbox in meeting.copies)), value)
