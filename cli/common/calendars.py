"""Reads `calendar-state`: mailboxes, the references of their events, and how far each owner has read its inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from cli.common.records import read_from
from services.sync_worker.operations import mailbox_of
from shared.contracts import attendee_snapshot
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import LEFT_TYPE, MAILBOX_TYPE, EventReference, MailboxState
from shared.contracts.topics import CALENDAR_STATE, POSITION_KEY
from shared.crypto.records import open_envelope
from shared.crypto.references import open_reference
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.engines.position import decode_position
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.engine import Engine
from shared.ports.log import Record


class Calendars:
    """Follows `calendar-state`: every `refresh` reads what was committed since the last one."""

    def __init__(self, engine: Engine, *, wanted: Callable[[Mailbox], bool] = lambda _: True) -> None:
        """Start at the beginning of the topic. `wanted` chooses the mailboxes whose records are opened."""
        self._engine = engine
        self._wanted = wanted
        self._next: dict[int, int] = {}
        self._keys: dict[str, TenantKeys] = {}
        self.states: dict[Mailbox, MailboxState] = {}
        self.references: dict[Mailbox, dict[bytes, EventReference]] = defaultdict(dict)
        self.positions: dict[int, Mapping[str, int]] = defaultdict(dict)
        """Partition → input topic → offset of the first record that no committed look has answered."""
        self.written: dict[Mailbox, int] = defaultdict(int)
        """Mailbox → how many records of its events were written: the number grows when a look changes something."""
        self.unreadable = 0

    def refresh(self, partitions: Iterable[int] | None = None) -> None:
        """Read on to the present end of each partition. Raises LogUnavailableError, StoreUnavailableError."""
        log = self._engine.log
        self._keys.clear()  # a key may have been destroyed since
        for partition in range(log.partitions) if partitions is None else partitions:
            if partition not in self._next:
                self._next[partition] = log.span(CALENDAR_STATE.name, partition).begin
            for record in read_from(log, CALENDAR_STATE.name, partition, self._next[partition]):
                self._take(record)
                self._next[partition] = record.offset + 1

    def upcoming_ms(self, mailbox: Mailbox, now_ms: int) -> int:
        """Return when the mailbox's next meeting with a room begins, in epoch milliseconds; 2**62 when there is none."""
        starts = [
            reference.start_ms
            for reference in self.references.get(mailbox, {}).values()
            if reference.start_ms >= now_ms and (reference.rooms or reference.rooms is None)
        ]
        return min(starts, default=2**62)

    def _take(self, record: Record) -> None:
        if record.key == POSITION_KEY:
            self.positions[record.partition] = decode_position(record.value).inputs
            return
        try:
            mailbox = mailbox_of(record.key)
        except MalformedRecordError:
            self.unreadable += 1
            return
        if not self._wanted(mailbox):
            return
        is_event = record.key != mailbox.key
        self.written[mailbox] += is_event
        if record.value is None:
            self._forget(mailbox, record.key, is_event=is_event)
            return
        try:
            self._open(mailbox, record.key, record.value)
        except KeyDestroyedError:
            self._forget(mailbox, record.key, is_event=is_event)
        except MalformedRecordError:
            self.unreadable += 1
            # The worker believes no earlier record either: a mailbox without its own one has to be connected anew.
            self._forget(mailbox, record.key, is_event=is_event)

    def _open(self, mailbox: Mailbox, key: bytes, value: bytes) -> None:
        envelope = envelopes.decode(value)
        keys = self._keys.get(envelope.tenant) or self._engine.keyring.keys(envelope.tenant)
        self._keys[envelope.tenant] = keys
        if envelope.type == MAILBOX_TYPE:
            self.states[mailbox] = open_envelope(envelope, keys, MailboxState, key=key)
        elif envelope.type not in {LEFT_TYPE, attendee_snapshot.TYPE}:
            self.references[mailbox][key] = open_reference(key, envelope, keys)

    def _forget(self, mailbox: Mailbox, key: bytes, *, is_event: bool) -> None:
        if is_event:
            self.references[mailbox].pop(key, None)
        else:
            self.states.pop(mailbox, None)
