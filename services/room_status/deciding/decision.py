"""
Observations, dismissals and time in, everything that has to be written out. Pure but for keys.

Each is applied to the records of one meeting, and what follows goes into a batch: declines and how they end (`publications`),
and records (`meeting_writer`). What cannot be read is put aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.room_status.deciding.batch import Batch, PendingLook
from services.room_status.deciding.confirmation import mailboxes_to_ask
from services.room_status.deciding.counting import count_change, count_untold
from services.room_status.deciding.expiry import forget_past, is_empty
from services.room_status.deciding.fold import Change, DecisionRules, fold
from services.room_status.deciding.input_records import read_copy_observation, read_dismissal
from services.room_status.deciding.meeting_writer import MeetingWriter, next_due_ms
from services.room_status.deciding.memory import PendingMemory
from services.room_status.deciding.outcomes import close_dismissed, close_past
from services.room_status.deciding.publications import Publisher, require_one_commit, source_of
from services.room_status.deciding.room_counting import count_answers
from services.room_status.deciding.sealing import RecordSealing, RecordTooLargeError
from shared.contracts import envelope as envelopes
from shared.contracts.meeting_state import MeetingRecord, meeting_key, parts_of
from shared.crypto.meetings import StoredMeeting, open_meeting
from shared.domain.identity import Mailbox, tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import Record

KeysOf = Callable[[str], TenantKeys]
"""A tenant → its keys; raises KeyDestroyedError."""


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
    decision = _Decision(batch, PendingMemory(memory), partition, keys_of, told, rules)
    batch.states = decision.draft.states
    for record in records:
        decision.handle(record, decision.decide)
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
    decision = _Decision(batch, PendingMemory(memory), partition, keys_of, told, fold)
    batch.states = decision.draft.states
    for record in records:
        decision.handle(record, decision.dismiss)
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
        meetings: As many of these keys as fill a commit, `Batch.handled`; everything, if left out.
    """
    batch = Batch()
    draft = PendingMemory(memory)
    batch.states = draft.states
    decision = _Decision(batch, draft, partition, keys_of, told, fold)
    chosen = [key for key in memory if not parts_of(key)[1]] if meetings is None else meetings
    for key in chosen:
        decision.sweep(key, now_ms)
        batch.handled += 1
        if meetings is not None and batch.full:
            break
    return batch


@dataclass(slots=True)
class _Decision:
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
        writer = self._writer(meeting_key(keys.tenant, seen.meeting))
        meeting = writer.remembered(keys) or StoredMeeting(
            MeetingRecord(provider=seen.provider, meeting=seen.meeting), writer.copies(keys)
        )
        change = self.rules(meeting, seen, keys=keys)
        if change is None or writer.is_nothing(change):
            return
        sealing = RecordSealing(keys, source_of(record), envelope.correlation, envelope.id)
        publisher = self._publisher(writer.key, keys, envelope.correlation)
        publications = publisher.observed(change, record, seen.observed_at_ms)
        try:
            require_one_commit(publications)
            changes = writer.changes(meeting, seen.mailbox, change, sealing)
        except RecordTooLargeError as error:
            writer.park(record, meeting, sealing, reason=str(error), baseline=seen.baseline)
            return
        writer.remember(change.record, changes)
        self._count(keys.tenant, meeting.record, change.record, seen.observed_at_ms)
        self.batch.untold += count_untold(meeting.record, change.record)
        self.batch.publish(publications)
        self._ask(keys.tenant, change.owed, seen.meeting)

    def dismiss(self, record: Record) -> None:
        """Apply one dismissal. Raises MalformedRecordError, NewerRecordError."""
        envelope = envelopes.decode(record.value or b"")
        put_away = read_dismissal(record.key, envelope)
        value, writer = self.draft.get(record.key), self._writer(record.key)
        try:
            keys = self.keys_of(envelope.tenant)
            meeting = writer.remembered(keys)
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
        sealing = RecordSealing(keys, source.id, source.correlation, source.causation)
        try:
            changes = writer.changes(meeting, "", Change(after, None), sealing)
        except RecordTooLargeError as error:
            self.batch.parked.append((record, str(error)))
            return
        writer.remember(after, changes)
        publisher = self._publisher(record.key, keys, source.correlation)
        self.batch.outcomes += publisher.ended(endings, after.meeting)

    def sweep(self, key: bytes, now_ms: int) -> None:
        """Close and forget what is over of one meeting."""
        value, writer, tenant = self.draft.get(key), self._writer(key), tenant_of_key(key)
        if value is None:
            return
        try:
            keys = self.keys_of(tenant)
            meeting = open_meeting(key, value, keys)
            source = envelopes.decode(value)
        except KeyDestroyedError:
            writer.forget()
            return
        except MalformedRecordError:
            return
        record, endings = close_past(meeting.record, now_ms, keys)
        record, over = forget_past(record, now_ms, keys)
        change = Change(record, None, forgotten=over)
        publisher = self._publisher(key, keys, source.correlation)
        self.batch.outcomes += publisher.ended(endings, record.meeting)
        self.batch.statuses += publisher.forgotten(change)
        self._count(tenant, meeting.record, record, now_ms)
        if is_empty(record):
            writer.forget()
            return
        writer.forget_ended_copies()
        self._ask(tenant, mailboxes_to_ask(record, now_ms), record.meeting)
        if record == meeting.record:
            self.batch.due[key] = next_due_ms(record, now_ms)
            return
        # Under the name of the observation that it was recorded upon last: nothing but time lies between.
        # What it may add, how declines ended, is small against the bound: a record that fitted is never stuck.
        sealing = RecordSealing(keys, source.id, source.correlation, source.causation, bounded=False)
        writer.remember(record, writer.changes(meeting, "", change, sealing), now_ms)

    def _writer(self, key: bytes) -> MeetingWriter:
        return MeetingWriter(self.batch, self.draft, key)

    def _publisher(self, key: bytes, keys: TenantKeys, correlation: str) -> Publisher:
        return Publisher(self.partition, key, keys, correlation, self.told)

    def _count(self, tenant: str, before: MeetingRecord, after: MeetingRecord, now_ms: int) -> None:
        if counts := count_change(before, after, now_ms):
            self.batch.counts.setdefault(tenant, Counter()).update(counts)
        if answers := count_answers(before, after):
            self.batch.room_counts.setdefault(tenant, Counter()).update(answers)

    def _ask(self, tenant: str, mailboxes: Iterable[str], meeting: str) -> None:
        self.batch.owed += [PendingLook(Mailbox(tenant, mailbox), meeting) for mailbox in sorted(mailboxes)]
