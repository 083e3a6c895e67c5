"""
Observations in, everything that has to be written out. Pure but for keys.

What follows from one observation is never divided: its declines, states and records go into one piece with the position behind
it. A piece ends when it is large enough for one commit; the caller commits it and goes on behind it.

A record that would exceed its bound is *parked*: nothing of the observation is applied, the last record that fitted stays,
marked `parked`, and the observation is reported. The next observation of the meeting that fits takes the mark away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from services.room_status.deciding.announcement import outcome_event, room_status, status_key
from services.room_status.deciding.confirmation import confirm_at, mailboxes_to_ask
from services.room_status.deciding.counting import Counts, count_change
from services.room_status.deciding.expiry import due_at, forget_past, is_empty
from services.room_status.deciding.fold import RULES_VERSION, Change, DecisionRules, fold
from services.room_status.deciding.memory import Copies, PendingMemory
from services.room_status.deciding.outcomes import Ending, close_dismissed, close_past, first_end
from services.room_status.deciding.rows import copy_row, meeting_row
from shared.contracts import copy_observation, dismissal, observation
from shared.contracts import envelope as envelopes
from shared.contracts.bounds import MAX_RECORD_BYTES, PIECE_BYTES, PIECE_RECORDS
from shared.contracts.copy_observation import CopyObservation, Sight, from_version_1
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_state import (
    COPY_TYPE,
    ENDED_COPY_TYPE,
    MEETING_TYPE,
    VERSION,
    CopyRecord,
    MeetingRecord,
    copy_key,
    meeting_key,
    parts_of,
)
from shared.contracts.observation import Observation
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import ROOM_OUTCOMES, ROOM_REJECTIONS, ROOM_STATUS
from shared.crypto.meetings import StoredMeeting, open_copy, open_meeting
from shared.crypto.records import open_envelope, sealed_envelope
from shared.domain import trace
from shared.domain.identity import Mailbox, tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import Headers, NewRecord, Record, StateChange
from shared.ports.view import Row

KeysOf = Callable[[str], TenantKeys]
MAX_STATE_BYTES = MAX_RECORD_BYTES
"""The bound of one record of `meeting-state`."""
CORRELATION_HEADER = "correlation-id"
CLOUD_EVENT = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""How CloudEvents' binding for Kafka tells readers that the whole event stands in the value."""
SOURCE_HEADER = "source-position"
"""The input record that a decision was made upon: `topic/partition/offset`. Within a partition of decisions it only grows."""
RULES_HEADER = "rules-version"


@dataclass(frozen=True, slots=True)
class PendingLook:
    """A mailbox that has to be looked at again: its word could not be ordered against others', or waits to be repeated."""

    mailbox: Mailbox
    meeting: str


@dataclass(slots=True)
class Batch:
    """What some observations lead to, to be committed together."""

    decisions: list[NewRecord] = field(default_factory=list)
    """Declines."""
    outcomes: list[NewRecord] = field(default_factory=list)
    """How declines ended."""
    statuses: list[NewRecord] = field(default_factory=list)
    states: dict[bytes, bytes | None] = field(default_factory=dict)
    changes: list[StateChange] = field(default_factory=list)
    """For the state topic: every change, not only the last of a key, so that the past can be had at any observation."""
    rows: dict[str, Row] = field(default_factory=dict)
    malformed: list[tuple[Record, str]] = field(default_factory=list)
    parked: list[tuple[Record, str]] = field(default_factory=list)
    """Observations of which nothing was applied, because a record would have exceeded its bound."""
    forgotten: list[Record] = field(default_factory=list)
    """Sealed by a key that was destroyed on purpose."""
    owed: list[PendingLook] = field(default_factory=list)
    due: dict[bytes, int] = field(default_factory=dict)
    """Meeting key → when something of it is to be forgotten, or a look at it asked for, epoch milliseconds."""
    counts: dict[str, Counts] = field(default_factory=dict)
    """Organisation → what is counted of it: see `DayTally`."""
    handled: int = 0
    """How many of the records given were decided: the piece ends behind them."""
    bytes: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.states or self.decisions or self.outcomes)

    @property
    def full(self) -> bool:
        """Whether it is large enough for one commit."""
        records = len(self.decisions) + len(self.outcomes) + len(self.statuses) + len(self.changes)
        return records >= PIECE_RECORDS or self.bytes >= PIECE_BYTES


def decide(
    records: Sequence[Record],
    memory: Mapping[bytes, bytes],
    *,
    partition: int,
    keys_of: KeysOf,
    told: frozenset[str],
    rules: DecisionRules = fold,
) -> Batch:
    """
    Fold `records` over `memory` until the batch is full: `Batch.handled` says how many were taken.

    Args:
        memory: Key → sealed record of `meeting-state`. It is not changed; a Memory saves indexing it.
        keys_of: A tenant's keys; KeyDestroyedError means that its records are to be forgotten.
        told: Ids of events that a torn predecessor already put on their topics.
        rules: The fold; another one only where a replay asks what it would change.

    Raises:
        NewerRecordError: a later version of roomsync wrote what this one would have to build upon.
    """
    batch = Batch()
    deciding = _Deciding(batch, PendingMemory(memory), partition, keys_of, told, rules)
    batch.states = deciding.draft.states
    for record in records:
        deciding.handle(record, deciding.decide)
        if batch.full:
            break
    return batch


def dismiss(
    records: Sequence[Record],
    memory: Mapping[bytes, bytes],
    *,
    partition: int,
    keys_of: KeysOf,
    told: frozenset[str],
) -> Batch:
    """
    Note who put prompts away, and close the declines whose prompts everybody has put away who was asked.

    Args:
        records: Of `dismissals`; all of them are handled.
        memory: As `decide`.
        partition: Where all of it stands.
        keys_of: As `decide`.
        told: As `decide`.
    """
    batch = Batch()
    deciding = _Deciding(batch, PendingMemory(memory), partition, keys_of, told, fold)
    batch.states = deciding.draft.states
    for record in records:
        deciding.handle(record, deciding.dismiss)
    return batch


def sweep(
    memory: Mapping[bytes, bytes],
    *,
    now_ms: int,
    partition: int,
    keys_of: KeysOf,
    told: frozenset[str] = frozenset(),
    meetings: Sequence[bytes] | None = None,
) -> Batch:
    """
    Close declines whose date is over, forget what is long over, and meetings whose tenant's key is gone.

    A decline that waits to be confirmed owes its mailbox a look.

    A record that cannot be read is kept: the version that wrote it will come back, and would tell everything twice without.

    Args:
        told: As `decide`.
        meetings: Only these keys; everything, if left out.
    """
    batch = Batch()
    draft = PendingMemory(memory)
    batch.states = draft.states
    sweeping = _Deciding(batch, draft, partition, keys_of, told, fold)
    chosen = [key for key in memory if not parts_of(key)[1]] if meetings is None else meetings
    for key in chosen:
        sweeping.sweep(key, now_ms)
    return batch


@dataclass(slots=True)
class _Deciding:
    """A batch in the making."""

    batch: Batch
    draft: PendingMemory
    partition: int
    keys_of: KeysOf
    told: frozenset[str]
    rules: DecisionRules

    def handle(self, record: Record, how: Callable[[Record], None]) -> None:
        """Count one record as handled; what cannot be read is put aside. Raises NewerRecordError."""
        try:
            how(record)
        except MalformedRecordError as error:
            self.batch.malformed.append((record, str(error)))
        self.batch.handled += 1

    def decide(self, record: Record) -> None:
        """Fold one observation. Raises MalformedRecordError, NewerRecordError."""
        envelope = envelopes.decode(record.value or b"")
        try:
            keys = self.keys_of(envelope.tenant)
            seen = read_copy_observation(record.key, envelope, keys)
        except KeyDestroyedError:
            self.batch.forgotten.append(record)  # erased on purpose: nothing of it may be read, decided or kept
            return
        key = meeting_key(keys.tenant, seen.meeting)
        meeting = self._remembered(key, keys) or StoredMeeting(
            MeetingRecord(provider=seen.provider, meeting=seen.meeting), Copies(self.draft, key, keys)
        )
        change = self.rules(meeting, seen, keys=keys)
        if change is None or self._is_nothing(key, change):
            return
        source = f"{record.topic}/{record.partition}/{record.offset}"
        sealing = _Sealing(keys, source, envelope.correlation, envelope.id)
        try:
            changes = self._changes(key, meeting, seen.mailbox, change, sealing)
        except _TooLargeError as error:
            self._park(record, str(error), key, meeting, sealing)
            return
        self._remember(key, change.record, changes)
        self._count(keys.tenant, meeting.record, change.record, seen.observed_at_ms)
        headers = _followed(record, envelope.correlation, source)
        self._announce(change, key, seen, headers, source, keys)
        self.batch.owed += [PendingLook(Mailbox(keys.tenant, mailbox), seen.meeting) for mailbox in sorted(change.owed)]

    def dismiss(self, record: Record) -> None:
        """Apply one dismissal. Raises MalformedRecordError, NewerRecordError."""
        envelope = envelopes.decode(record.value or b"")
        put_away = read_dismissal(record.key, envelope)
        value = self.draft.get(record.key)
        try:
            meeting = self._remembered(record.key, self.keys_of(envelope.tenant))
            keys = self.keys_of(envelope.tenant)
        except KeyDestroyedError:
            self.batch.forgotten.append(record)
            return
        if meeting is None or value is None:
            return
        after, endings = close_dismissed(meeting.record, put_away, meeting.copies, keys)
        if after == meeting.record:
            return
        # As a sweep's: under the name of the observation that it was recorded upon last, since a person's act is none.
        source = envelopes.decode(value)
        sealing = _Sealing(keys, source.id, source.correlation, source.causation)
        try:
            changes = self._changes(record.key, meeting, "", Change(after, None), sealing)
        except _TooLargeError as error:
            self.batch.parked.append((record, str(error)))
            return
        self._remember(record.key, after, changes)
        self._end(endings, record.key, after.meeting, keys, source.correlation)

    def sweep(self, key: bytes, now_ms: int) -> None:
        """Close and forget what is over of one meeting."""
        value = self.draft.get(key)
        if value is None:
            return
        tenant = tenant_of_key(key)
        try:
            keys = self.keys_of(tenant)
            meeting = open_meeting(key, value, keys)
            source = envelopes.decode(value)
        except KeyDestroyedError:
            self._forget(key)
            return
        except MalformedRecordError:
            return
        record, endings = close_past(meeting.record, now_ms, keys)
        record, over = forget_past(record, now_ms, keys)
        change = Change(record, None, forgotten=over)
        self._end(endings, key, record.meeting, keys, source.correlation)
        self._bury_statuses(change, tenant)
        self._count(tenant, meeting.record, record, now_ms)
        if is_empty(record):
            self._forget(key)
            return
        for mailbox in [mailbox for mailbox, held in self.draft.copies(key).items() if not held]:
            self._put(StateChange(copy_key(key, mailbox), None))
        self.batch.owed += [
            PendingLook(Mailbox(tenant, each), record.meeting) for each in mailboxes_to_ask(record, now_ms)
        ]
        if record == meeting.record:
            self.batch.due[key] = _next_due_ms(record, now_ms)
            return
        # Under the name of the observation that it was recorded upon last: nothing but time lies between.
        # What it may add, how declines ended, is small against the bound: a record that fitted is never stuck.
        sealing = _Sealing(keys, source.id, source.correlation, source.causation, bounded=False)
        self._remember(key, record, self._changes(key, meeting, "", change, sealing), now_ms)

    def _count(self, tenant: str, before: MeetingRecord, after: MeetingRecord, now_ms: int) -> None:
        if counts := count_change(before, after, now_ms):
            self.batch.counts.setdefault(tenant, Counter()).update(counts)

    def _is_nothing(self, key: bytes, change: Change) -> bool:
        """Whether nothing is remembered of the meeting, nor has to be: most meetings have no room."""
        return (
            change.copy is None
            and is_empty(change.record)
            and self.draft.get(key) is None
            and not self.draft.copies(key)
        )

    def _remembered(self, key: bytes, keys: TenantKeys) -> StoredMeeting | None:
        """The meeting as it is now; one that an earlier, destroyed key sealed is as if it had never been."""
        value = self.draft.get(key)
        if value is None:
            return None
        try:
            found = open_meeting(key, value, keys)
        except KeyDestroyedError:
            return None
        return found if found.copies else StoredMeeting(found.record, Copies(self.draft, key, keys))

    def _changes(
        self, key: bytes, meeting: StoredMeeting, mailbox: str, change: Change, sealing: _Sealing
    ) -> list[StateChange]:
        """The records that a change makes. Raises _TooLargeError."""
        upgraded = not isinstance(meeting.copies, Copies)
        copies: dict[str, CopyRecord | None] = dict(meeting.copies) if upgraded else {}
        if mailbox and change.copy != meeting.copies.get(mailbox):
            copies[mailbox] = change.copy
        changes = [
            StateChange(name, sealing.copy(name, self._numbered(name, copy)))
            for name, copy in ((copy_key(key, mailbox), copy) for mailbox, copy in copies.items())
            if copy is not None or self.draft.get(name) is not None
        ]
        if change.record != meeting.record or upgraded:
            changes.append(StateChange(key, sealing.meeting(key, change.record, meeting.record.version)))
        return changes

    def _numbered(self, key: bytes, copy: CopyRecord | None) -> CopyRecord:
        """The copy under the number of the record that it replaces; of one that ended, nothing else."""
        value = self.draft.get(key)
        before = open_copy(key, value, self.keys_of(tenant_of_key(key))) if value is not None else None
        if copy is None:
            copy = CopyRecord(mailbox=parts_of(key)[1], provider="", sight=Sight.WITHDRAWN)
        return msgspec.structs.replace(copy, version=before.version if before else 0)

    def _remember(self, key: bytes, record: MeetingRecord, changes: Sequence[StateChange], asked_ms: int = 0) -> None:
        members = self.draft.mailboxes(key)
        for change in changes:
            self._put(change)
            mailbox = parts_of(change.key)[1]
            if mailbox:
                self.batch.rows[change.key.decode()] = copy_row(change.key, change.value)
        rewritten = any(change.key == key for change in changes)
        if rewritten or members != self.draft.mailboxes(key):
            self._show(key)
        ended = not all(self.draft.copies(key).values())
        self.batch.due[key] = 0 if ended or is_empty(record) else _next_due_ms(record, asked_ms)

    def _show(self, key: bytes) -> None:
        """The meeting's row, for everybody who holds a copy."""
        self.batch.rows[key.decode()] = meeting_row(key, self.draft.get(key), self.draft.mailboxes(key))

    def _forget(self, key: bytes) -> None:
        names = [copy_key(key, mailbox) for mailbox in sorted(self.draft.copies(key))]
        for name in [*names, key]:
            self._put(StateChange(name, None))
            self.batch.rows[name.decode()] = Row(name.decode(), (), None)

    def _put(self, change: StateChange) -> None:
        self.draft.put(change.key, change.value)
        self.batch.changes.append(change)
        self.batch.bytes += len(change.value or b"")

    def _park(self, record: Record, reason: str, key: bytes, meeting: StoredMeeting, sealing: _Sealing) -> None:
        self.batch.parked.append((record, reason))
        if meeting.record.parked or not isinstance(meeting.copies, Copies):
            return  # marked already, or of version 1: it stays as it is until something fits
        marked = msgspec.structs.replace(meeting.record, parked=True)
        self._remember(key, marked, [StateChange(key, sealing.meeting(key, marked, marked.version, bounded=False))])

    def _announce(
        self, change: Change, key: bytes, seen: CopyObservation, headers: Headers, source: str, keys: TenantKeys
    ) -> None:
        why = ((SOURCE_HEADER, source.encode()), (RULES_HEADER, str(RULES_VERSION).encode()))
        decisions = [
            NewRecord(
                ROOM_REJECTIONS.name, self.partition, key, msgspec.json.encode(decline), (*CLOUD_EVENT, *headers, *why)
            )
            for decline in change.declines
            if decline.id not in self.told
        ]
        statuses = [
            NewRecord(
                ROOM_STATUS.name,
                self.partition,
                status_key(keys.tenant, date.ref, room.room),
                msgspec.json.encode(
                    room_status(room, date, change.record, keys=keys, observed_at_ms=seen.observed_at_ms)
                ),
                headers,
            )
            for date, room in change.rooms
        ]
        outcomes = [
            _outcome_record(each, self.partition, key, (*headers, *why))
            for each in change.outcomes
            if each.id not in self.told
        ]
        self.batch.decisions += decisions
        self.batch.outcomes += outcomes
        self.batch.statuses += statuses
        self.batch.bytes += sum(len(each.value or b"") for each in [*decisions, *outcomes, *statuses])
        self._bury_statuses(change, keys.tenant)

    def _end(self, endings: Sequence[Ending], key: bytes, meeting: str, keys: TenantKeys, correlation: str) -> None:
        """Publish ends that no observation led to: such a record names none as its source."""
        named = ((CORRELATION_HEADER, correlation.encode()),) if correlation else ()
        events = [outcome_event(ending, meeting, keys) for ending in endings]
        self.batch.outcomes += [
            _outcome_record(each, self.partition, key, (*named, (RULES_HEADER, str(RULES_VERSION).encode())))
            for each in events
            if each.id not in self.told
        ]

    def _bury_statuses(self, change: Change, tenant: str) -> None:
        kept = {date.ref for date in change.record.dates}
        self.batch.statuses += [
            NewRecord(ROOM_STATUS.name, self.partition, status_key(tenant, date.ref, room.room), None)
            for date in change.forgotten
            if date.ref not in kept
            for room in date.rooms
        ]


def _next_due_ms(record: MeetingRecord, asked_ms: int) -> int:
    """When a meeting is looked through next: something of it is over, or a look is to be asked for (last at `asked_ms`)."""
    return min(due_at(record), first_end(record), confirm_at(record, asked_ms))


def _outcome_record(event: RoomOutcome, partition: int, key: bytes, headers: Headers) -> NewRecord:
    return NewRecord(ROOM_OUTCOMES.name, partition, key, msgspec.json.encode(event), (*CLOUD_EVENT, *headers))


class _TooLargeError(Exception):
    """A record would exceed its bound."""


@dataclass(frozen=True, slots=True)
class _Sealing:
    """How the records that one observation changes are sealed."""

    keys: TenantKeys
    source: str
    correlation: str
    causation: str
    bounded: bool = True

    def meeting(self, key: bytes, record: MeetingRecord, version: int, *, bounded: bool = True) -> bytes:
        """Raises _TooLargeError, unless it is the record that fitted before."""
        numbered = msgspec.structs.replace(record, version=version + 1)
        return self._sealed(key, numbered, MEETING_TYPE, bounded=bounded)

    def copy(self, key: bytes, record: CopyRecord) -> bytes:
        """Raises _TooLargeError."""
        kind = ENDED_COPY_TYPE if record.sight is Sight.WITHDRAWN else COPY_TYPE
        numbered = msgspec.structs.replace(record, version=record.version + 1)
        return self._sealed(key, numbered, kind, bounded=True)

    def _sealed(self, key: bytes, record: MeetingRecord | CopyRecord, kind: str, *, bounded: bool) -> bytes:
        value = sealed_envelope(
            self.keys,
            record,
            key=key,
            type=kind,
            id=self.source,
            correlation=self.correlation,
            causation=self.causation,
            version=VERSION,
            rules=RULES_VERSION if kind == MEETING_TYPE else 0,
            compress=True,
        )
        if bounded and self.bounded and len(value) > MAX_STATE_BYTES:
            message = f"a {kind} would take {len(value)} bytes, and {MAX_STATE_BYTES} are the bound"
            raise _TooLargeError(message)
        return value


def read_copy_observation(key: bytes, envelope: Envelope, keys: TenantKeys) -> CopyObservation:
    """
    Read an observation of either version.

    Args:
        key: The record's key: it is refused under any other than it was written under.
        envelope: The record's value.
        keys: The tenant's.

    Raises:
        KeyDestroyedError: an earlier key of the tenant sealed it.
        NewerRecordError: a later version of the sync worker wrote it.
        MalformedRecordError: it is no observation, damaged, or another key's.
    """
    match envelope.type:
        case observation.TYPE:
            return from_version_1(open_envelope(envelope, keys, Observation, key=key))
        case copy_observation.TYPE:
            return open_envelope(envelope, keys, CopyObservation, key=key, newest=copy_observation.VERSION)
        case other:
            message = f"a record of type {other!r} on observations: another version of the sync worker wrote it?"
            raise MalformedRecordError(message)


def read_dismissal(key: bytes, envelope: Envelope) -> PromptDismissal:
    """Read a dismissal. Raises MalformedRecordError: it is none, or is about another meeting than its key."""
    if envelope.type != dismissal.TYPE:
        message = f"a record of type {envelope.type!r} on dismissals: another version of the portal wrote it?"
        raise MalformedRecordError(message)
    found = envelopes.payload_of(envelope, PromptDismissal)
    if meeting_key(envelope.tenant, found.meeting) != key:
        message = f"the dismissal {envelope.id} stands under another meeting's key"
        raise MalformedRecordError(message)
    return found


def _followed(record: Record, correlation: str, source: str) -> Headers:
    """What ties a decision to its journey. The same again, when the decision is made anew."""
    step = trace.from_headers(record.headers)
    named = ((CORRELATION_HEADER, correlation.encode()),) if correlation else ()
    return (*named, *(trace.headers(step.child(source)) if step else ()))
