"""The records of a partition of `meeting-state`, by key, those of a meeting packed together. Pure but for keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from services.room_status.deciding.packed_records import OpenedRecords, is_ended, mailboxes_of
from shared.contracts.day_tally import is_tally
from shared.contracts.meeting_state import CopyRecord, copy_key, parts_of
from shared.crypto.meetings import open_copy
from shared.domain.identity import is_text, key_text, tenant_of_key
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError
from shared.ports.log import StateChange


def _enter(copies: dict[str, bool], mailbox: str, value: bytes | None) -> None:
    if value is None:
        copies.pop(mailbox, None)
    else:
        copies[mailbox] = not is_ended(value)


TOGETHER = 8
"""As many records of a meeting are packed together. Further copies are alone, so that a change costs the same, however many."""


class Memory(Mapping[bytes, bytes]):
    """
    Key → sealed record. What is read of it costs the same whatever its size.

    A meeting's record is held packed with those of its first copies (`packed_records`). The meeting that was asked for last is
    kept open, since it is asked for several times in a row.
    """

    def __init__(self, records: Mapping[bytes, bytes]) -> None:
        """`records` are copied."""
        self._meetings: dict[bytes, bytes] = {}
        """The first two parts of a key → what stands under it and its first copies, packed."""
        self._further: dict[bytes, dict[str, tuple[bool, bytes]]] = {}
        """The same → how the keys of further copies go on → whether it is held, and its record, packed alone."""
        self._open: tuple[bytes, OpenedRecords] = (b"", OpenedRecords(""))
        self._tenants: Counter[str] = Counter()
        self.apply(StateChange(key, value) for key, value in records.items())

    def __getitem__(self, key: bytes) -> bytes:
        """Raises KeyError."""
        meeting, rest = _divided(key)
        if further := self._further.get(meeting, {}).get(rest):
            return OpenedRecords(tenant_of_key(key), further[1]).value("")
        try:
            return self._opened(meeting).value(rest)
        except KeyError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[bytes]:
        """The keys, those of a meeting one after the other."""
        for meeting in self._meetings.keys() | self._further.keys():
            yield from [meeting + rest.encode() for rest in self._opened(meeting).records]
            yield from [meeting + rest.encode() for rest in self._further.get(meeting, ())]

    def __len__(self) -> int:
        """How many records there are."""
        return self._tenants.total()

    def mailboxes(self, meeting: bytes) -> frozenset[str]:
        """The mailboxes that hold a copy of a meeting in a record of its own."""
        return frozenset(mailbox for mailbox, held in self.copies(meeting).items() if held)

    def copies(self, meeting: bytes) -> Mapping[str, bool]:
        """The mailboxes that have a record of a meeting → whether they still hold a copy."""
        found = mailboxes_of(self._opened(meeting).records)
        if further := self._further.get(meeting):
            found |= {rest[1:]: held for rest, (held, _) in further.items()}
        return found

    def tenants(self) -> list[str]:
        """The organisations of which there are records."""
        return list(self._tenants)

    def meetings(self) -> Iterator[bytes]:
        """The keys of meetings."""
        return (key for key in self._meetings if not is_tally(key) and "" in self._opened(key).records)

    def apply(self, changes: Iterable[StateChange]) -> None:
        """Take committed changes over. A key that is no text is none of ours, and would be found under no name."""
        for change in changes:
            if not is_text(change.key):
                continue
            more = (change.value is not None) - (change.key in self)
            self._put(*_divided(change.key), change.value)
            self._count(change.key, more)

    def _opened(self, meeting: bytes) -> OpenedRecords:
        if self._open[0] != meeting:
            self._open = meeting, OpenedRecords(tenant_of_key(meeting), self._meetings.get(meeting))
        return self._open[1]

    def _put(self, meeting: bytes, rest: str, value: bytes | None) -> None:
        opened, further = self._opened(meeting), self._further.get(meeting, {})
        is_full = rest not in opened.records and len(opened.records) >= TOGETHER
        if rest in further or (len(rest) > 1 and is_full and value is not None):
            self._put_alone(meeting, rest, value)
            return
        opened.put(rest, value)
        if opened.records:
            self._meetings[meeting] = opened.pack()
        else:
            self._meetings.pop(meeting, None)
        self._open = b"", OpenedRecords("")

    def _put_alone(self, meeting: bytes, rest: str, value: bytes | None) -> None:
        further = self._further.setdefault(meeting, {})
        if value is None:
            del further[rest]
        else:
            alone = OpenedRecords(tenant_of_key(meeting))
            alone.put("", value)
            further[rest] = not alone.records[""].is_ended, alone.pack()
        if not further:
            del self._further[meeting]

    def _count(self, key: bytes, more: int) -> None:
        tenant = tenant_of_key(key)
        self._tenants[tenant] += more
        if not self._tenants[tenant]:
            del self._tenants[tenant]


def _divided(key: bytes) -> tuple[bytes, str]:
    """A key's first two parts, and the rest as it stands."""
    meeting = b"/".join(key.split(b"/", 2)[:2])
    return meeting, key_text(key[len(meeting) :])


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
