"""The records of a partition of `meeting-state`, by key, with an index of each meeting's copies. Pure but for keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from shared.contracts.day_tally import is_tally
from shared.contracts.meeting_state import ENDED_COPY_TYPE, CopyRecord, copy_key, parts_of
from shared.crypto.meetings import open_copy
from shared.domain.identity import is_text, tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError
from shared.ports.log import StateChange


class _Typed(msgspec.Struct):
    """As much of an envelope as says what is sealed in it."""

    type: str = ""


def is_ended(value: bytes) -> bool:
    """Whether a record is one of a copy that ended."""
    try:
        return msgspec.json.decode(value, type=_Typed).type == ENDED_COPY_TYPE
    except (msgspec.DecodeError, RecursionError):
        return False


def _enter(copies: dict[str, bool], mailbox: str, value: bytes | None) -> None:
    if value is None:
        copies.pop(mailbox, None)
    else:
        copies[mailbox] = not is_ended(value)


class Memory(Mapping[bytes, bytes]):
    """Key → sealed record. What is read of it costs the same whatever its size."""

    def __init__(self, records: Mapping[bytes, bytes]) -> None:
        """Index `records`, which are copied."""
        self._records: dict[bytes, bytes] = {}
        self._copies: dict[bytes, dict[str, bool]] = {}
        self._tenants: Counter[str] = Counter()
        self.apply(StateChange(key, value) for key, value in records.items())

    def __getitem__(self, key: bytes) -> bytes:
        """Raises KeyError."""
        return self._records[key]

    def __iter__(self) -> Iterator[bytes]:
        """The keys."""
        return iter(self._records)

    def __len__(self) -> int:
        """How many records there are."""
        return len(self._records)

    def mailboxes(self, meeting: bytes) -> frozenset[str]:
        """The mailboxes that hold a copy of a meeting in a record of its own."""
        return frozenset(mailbox for mailbox, held in self.copies(meeting).items() if held)

    def copies(self, meeting: bytes) -> Mapping[str, bool]:
        """The mailboxes that have a record of a meeting → whether they still hold a copy."""
        return self._copies.get(meeting, {})

    def tenants(self) -> list[str]:
        """The organisations of which there are records."""
        return list(self._tenants)

    def meetings(self) -> Iterator[bytes]:
        """The keys of meetings."""
        return (key for key in self._records if not parts_of(key)[1] and not is_tally(key))

    def apply(self, changes: Iterable[StateChange]) -> None:
        """Take committed changes over. A key that is no text is none of ours, and would be found under no name."""
        for change in changes:
            if not is_text(change.key):
                continue
            known = change.key in self._records
            if change.value is None:
                self._records.pop(change.key, None)
            else:
                self._records[change.key] = change.value
            self._count(change.key, (change.value is not None) - known)
            self._index(change)

    def _count(self, key: bytes, more: int) -> None:
        tenant = tenant_of_key(key)
        self._tenants[tenant] += more
        if not self._tenants[tenant]:
            del self._tenants[tenant]

    def _index(self, change: StateChange) -> None:
        meeting, mailbox = parts_of(change.key)
        if mailbox:
            copies = self._copies.setdefault(meeting, {})
            _enter(copies, mailbox, change.value)
            if not copies:
                del self._copies[meeting]


class PendingMemory:
    """A memory with changes on top that are not committed yet."""

    def __init__(self, memory: Mapping[bytes, bytes]) -> None:
        """`memory` is not changed."""
        self._memory = memory if isinstance(memory, Memory) else Memory(memory)
        self.states: dict[bytes, bytes | None] = {}
        """What is new of each key; None: it is to be forgotten."""
        self._copies: dict[bytes, dict[str, bool]] = {}

    def get(self, key: bytes) -> bytes | None:
        """The record as it is now."""
        return self.states[key] if key in self.states else self._memory.get(key)

    def mailboxes(self, meeting: bytes) -> frozenset[str]:
        """The mailboxes that hold a copy of a meeting now."""
        return frozenset(mailbox for mailbox, held in self.copies(meeting).items() if held)

    def copies(self, meeting: bytes) -> Mapping[str, bool]:
        """The mailboxes that have a record of a meeting now → whether they still hold a copy."""
        known = self._copies.get(meeting)
        return self._memory.copies(meeting) if known is None else known

    def put(self, key: bytes, value: bytes | None) -> None:
        """Change a record, or (None) forget it."""
        self.states[key] = value
        meeting, mailbox = parts_of(key)
        if mailbox:
            copies = self._copies.setdefault(meeting, dict(self._memory.copies(meeting)))
            _enter(copies, mailbox, value)


class Copies(Mapping[str, CopyRecord]):
    """The copies of one meeting, each opened when it is asked for. One that a destroyed key sealed is not there."""

    def __init__(self, draft: PendingMemory, meeting: bytes, keys: TenantKeys) -> None:
        """Nothing is opened before it is asked for."""
        self._draft = draft
        self._meeting = meeting
        self._keys = keys
        self._opened: dict[str, CopyRecord] = {}

    def __getitem__(self, mailbox: str) -> CopyRecord:
        """Raises KeyError, NewerRecordError, MalformedRecordError."""
        if mailbox not in self._opened:
            key = copy_key(self._meeting, mailbox)
            value = self._draft.get(key)
            if value is None or not self._draft.copies(self._meeting).get(mailbox):
                raise KeyError(mailbox)
            try:
                self._opened[mailbox] = open_copy(key, value, self._keys)
            except KeyDestroyedError as error:
                raise KeyError(mailbox) from error
        return self._opened[mailbox]

    def __iter__(self) -> Iterator[str]:
        """By name."""
        return iter(sorted(self._draft.mailboxes(self._meeting)))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._draft.mailboxes(self._meeting))
