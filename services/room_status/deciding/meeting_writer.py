"""
Puts the records of one meeting into a batch: its own, its copies', and their rows in the view. Pure but for keys.

An observation is *parked* of which a record, or all that follows, would exceed its bound: nothing of it is applied, the last
record that fitted stays, marked `parked`, and the observation is reported. The next observation of the meeting that fits takes
the mark away. That a first look was parked (`parked_baseline`) stays until a word fits, or until it is too old (`expiry`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from services.room_status.deciding.batch import Batch
from services.room_status.deciding.confirmation import confirm_at
from services.room_status.deciding.expiry import due_at, is_empty
from services.room_status.deciding.fold import Change
from services.room_status.deciding.memory import Copies, PendingMemory
from services.room_status.deciding.outcomes import first_end
from services.room_status.deciding.rows import copy_row, meeting_row
from services.room_status.deciding.sealing import RecordSealing
from shared.contracts.copy_observation import Sight
from shared.contracts.meeting_state import CopyRecord, MeetingRecord, copy_key, parts_of
from shared.crypto.meetings import StoredMeeting, open_copy, open_meeting
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError
from shared.ports.log import Record, StateChange
from shared.ports.view import Row


@dataclass(frozen=True, slots=True)
class MeetingWriter:
    """One meeting as it is now, with everything that a batch is to write of it."""

    batch: Batch
    draft: PendingMemory
    key: bytes
    """Of the meeting."""

    def remembered(self, keys: TenantKeys) -> StoredMeeting | None:
        """The meeting as it is now; one that an earlier, destroyed key sealed is as if it had never been."""
        value = self.draft.get(self.key)
        if value is None:
            return None
        try:
            found = open_meeting(self.key, value, keys)
        except KeyDestroyedError:
            return None
        return found if found.copies else StoredMeeting(found.record, self.copies(keys))

    def copies(self, keys: TenantKeys) -> Copies:
        """The meeting's copies, each opened when it is asked for."""
        return Copies(self.draft, self.key, keys)

    def is_nothing(self, change: Change) -> bool:
        """Whether nothing is remembered of the meeting, nor has to be: most meetings have no room."""
        is_known = self.draft.get(self.key) is not None or self.draft.copies(self.key)
        return change.copy is None and is_empty(change.record) and not is_known

    def changes(
        self, meeting: StoredMeeting, mailbox: str, change: Change, sealing: RecordSealing
    ) -> list[StateChange]:
        """
        Seal the records that a change makes.

        Args:
            meeting: As it was. One of version 1 has all of its copies written.
            mailbox: Whose copy has changed; "": nobody's.
            change: What is different.
            sealing: How they are sealed.

        Raises:
            RecordTooLargeError: one of them would exceed its bound.
        """
        upgraded = not isinstance(meeting.copies, Copies)
        copies: dict[str, CopyRecord | None] = dict(meeting.copies) if upgraded else {}
        if mailbox and change.copy != meeting.copies.get(mailbox):
            copies[mailbox] = change.copy
        named = ((copy_key(self.key, of), copy) for of, copy in copies.items())
        changes = [
            StateChange(name, sealing.copy(name, self._numbered(name, copy, sealing.keys)))
            for name, copy in named
            if copy is not None or self.draft.get(name) is not None
        ]
        if change.record != meeting.record or upgraded:
            changes.append(StateChange(self.key, sealing.meeting(self.key, change.record, meeting.record.version)))
        return changes

    def remember(self, record: MeetingRecord, changes: Sequence[StateChange], asked_ms: int = 0) -> None:
        """Write the changes and what they show; `asked_ms`: when a look was asked for last, see `confirm_at`."""
        members = self.draft.mailboxes(self.key)
        for change in changes:
            self._put(change)
            if parts_of(change.key)[1]:
                self.batch.rows[change.key.decode()] = copy_row(change.key, change.value)
        rewritten = any(change.key == self.key for change in changes)
        if rewritten or members != self.draft.mailboxes(self.key):
            self._show()
        has_ended_copies = not all(self.draft.copies(self.key).values())
        self.batch.due[self.key] = 0 if has_ended_copies or is_empty(record) else next_due_ms(record, asked_ms)

    def park(
        self, record: Record, meeting: StoredMeeting, sealing: RecordSealing, *, reason: str, baseline: bool
    ) -> None:
        """
        Report an observation that cannot be kept, and mark the meeting.

        Args:
            record: The observation, as it was read.
            meeting: As it was, and stays.
            sealing: How its record is sealed.
            reason: Why it cannot be kept.
            baseline: Whether the observation is of a first look after a consent.
        """
        self.batch.parked.append((record, reason))
        is_first = meeting.record.parked_baseline or baseline
        marked = msgspec.structs.replace(meeting.record, parked=True, parked_baseline=is_first, parked_until_ms=0)
        if marked == meeting.record or not isinstance(meeting.copies, Copies):
            return  # marked already, or of version 1: it stays as it is until something fits
        value = sealing.meeting(self.key, marked, marked.version, bounded=False)
        self.remember(marked, [StateChange(self.key, value)])

    def forget(self) -> None:
        """Delete everything of the meeting."""
        names = [copy_key(self.key, mailbox) for mailbox in sorted(self.draft.copies(self.key))]
        for name in [*names, self.key]:
            self._put(StateChange(name, None))
            self.batch.rows[name.decode()] = Row(name.decode(), (), None)

    def forget_ended_copies(self) -> None:
        """Delete the records of copies that hold nothing of the meeting any more."""
        for mailbox in [mailbox for mailbox, held in self.draft.copies(self.key).items() if not held]:
            self._put(StateChange(copy_key(self.key, mailbox), None))

    def _numbered(self, key: bytes, copy: CopyRecord | None, keys: TenantKeys) -> CopyRecord:
        """The copy under the number of the record that it replaces; of one that ended, nothing else."""
        value = self.draft.get(key)
        before = open_copy(key, value, keys) if value is not None else None
        if copy is None:
            copy = CopyRecord(mailbox=parts_of(key)[1], provider="", sight=Sight.WITHDRAWN)
        return msgspec.structs.replace(copy, version=before.version if before else 0)

    def _show(self) -> None:
        """The meeting's row, for everybody who holds a copy."""
        row = meeting_row(self.key, self.draft.get(self.key), self.draft.mailboxes(self.key))
        self.batch.rows[self.key.decode()] = row

    def _put(self, change: StateChange) -> None:
        self.draft.put(change.key, change.value)
        self.batch.changes.append(change)
        self.batch.bytes += len(change.value or b"")


def next_due_ms(record: MeetingRecord, asked_ms: int) -> int:
    """When a meeting is looked through next: something of it is over, or a look is to be asked for (last at `asked_ms`)."""
    return min(due_at(record), first_end(record), confirm_at(record, asked_ms))
