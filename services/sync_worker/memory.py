"""What the owner of a partition holds in memory of one mailbox, and how that stands on `calendar-state`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import msgspec

from services.sync_worker.deciding.job import Job
from services.sync_worker.deciding.packed_references import NO_REFERENCES, pack_references, unpack_references
from services.sync_worker.deciding.people import Snapshots
from services.sync_worker.deciding.schedule import Priority
from shared.contracts import attendee_snapshot, calendar_state
from shared.contracts import envelope as envelopes
from shared.contracts.attendee_snapshot import SnapshotPiece
from shared.contracts.calendar_state import EventReference, LeftMailbox, MailboxState
from shared.contracts.command import TakeRoom
from shared.contracts.envelope import Envelope
from shared.crypto.records import open_envelope, sealed_envelope
from shared.crypto.references import open_reference, sealed_reference
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys, pseudonym
from shared.domain.trace import Trace
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.keyring import Keyring
from shared.ports.log import StateChange
from shared.runtime.logging import get_logger

_LEFT = b"/left"

logger = get_logger()


@dataclass(slots=True)
class TrackedMailbox:
    """One mailbox: what is durable, and what has been asked of it since."""

    state: MailboxState
    packed: bytes = NO_REFERENCES
    """Its references. Nearly all mailboxes rest, nearly always: held open, they would take three times the memory."""
    snapshots: Snapshots = field(default_factory=dict)
    job: Job | None = None
    takes: dict[str, TakeRoom] = field(default_factory=dict)
    full: bool = False
    connecting: bool = False
    """A consent was given, and its person has not been notified yet that the calendar is connected."""
    hinted: bool = False
    priority: Priority = Priority.APPOINTMENT
    """Of the next look: that of the most urgent of what it is to answer. A retry keeps that of what failed."""
    empty_looks: int = 0
    """How many hinted looks in a row showed nothing."""
    hinted_look_at_ms: int = 0
    asked: bool = False
    """More than a look was asked for since the state was written: hints can be repeated, this cannot."""
    parked: frozenset[int] = frozenset()
    """Meetings that the last look could not write, by the offsets of their dead letters."""
    correlation: str = ""
    trace: Trace | None = None
    room_starts: Sequence[int] = ()
    """When each room that its person asks for is needed, rising; of dates that were not over when the references changed last."""
    era: str = ""
    """Of the data key that its references were named under; "" before the first look that found out."""

    @property
    def references(self) -> dict[str, EventReference]:
        """Event id → reference, opened anew each time: what is done with a copy is not seen here."""
        return unpack_references(self.packed)

    @references.setter
    def references(self, references: Mapping[str, EventReference]) -> None:
        self.packed = pack_references(references.values())

    def count_kept(self) -> int:
        """How many records are kept of its events: references, and pieces of what people of its series answered."""
        return len(self.references) + sum(map(len, self.snapshots.values()))

    def remembering(self, state: MailboxState) -> MailboxState:
        """`state`, with the wishes that still wait: a failure's appointment discharges their commands."""
        return msgspec.structs.replace(state, takes=dict(self.takes), full=self.full)


class RestoredMailboxes(NamedTuple):
    """What a claim's state says of its mailboxes."""

    held: dict[Mailbox, TrackedMailbox]
    unreadable: frozenset[Mailbox]
    """Those whose own record cannot be read, and is not to be written over by itself."""


def restore_mailboxes(state: Mapping[bytes, bytes], keyring: Keyring) -> RestoredMailboxes:
    """
    Read a claim's restored state. What a destroyed key sealed is left out, as if it had never been (see `forget_destroyed`).

    A mailbox with a record of an event that cannot be read is looked at in full next: that writes the events' records anew, and
    those of their people. One whose own record cannot be read is left alone, and named: written anew, what the record holds would
    be lost (takes that wait, the subscription), though a setting or a key put right may make it readable again. `roomsync
    reconcile` connects it anew.

    Raises:
        StoreUnavailableError: the keyring is away.
    """
    keys_of = cache(keyring.keys)  # asked once an organisation, not once a record
    held: dict[Mailbox, TrackedMailbox] = {}
    unreadable: set[Mailbox] = set()
    for mailbox, keys in _keys_by_mailbox(state).items():
        found = _open_records({key: state[key] for key in keys}, keys_of)
        if found.state is not None:
            held[mailbox] = found.tracked(found.state)
        elif found.doubtful:
            unreadable.add(mailbox)
    for mailbox in sorted(unreadable):
        remedy = "find out why, then: roomsync reconcile --mailbox"
        logger.error(
            "mailbox_unreadable", tenant=mailbox.tenant, mailbox=mailbox.id, remedy=f"{remedy} {mailbox.key.decode()}"
        )
    return RestoredMailboxes(held, frozenset(unreadable))


@dataclass(slots=True)
class _OpenedRecords:
    """What the records of one mailbox say."""

    state: MailboxState | None = None
    references: list[EventReference] = field(default_factory=list)
    snapshots: dict[str, dict[str, SnapshotPiece]] = field(default_factory=dict)
    doubtful: bool = False
    """One of them could not be read."""

    def tracked(self, state: MailboxState) -> TrackedMailbox:
        packed = pack_references(self.references)
        return TrackedMailbox(state, packed, self.snapshots, takes=dict(state.takes), full=state.full or self.doubtful)


def _keys_by_mailbox(state: Mapping[bytes, bytes]) -> dict[Mailbox, list[bytes]]:
    found: dict[Mailbox, list[bytes]] = {}
    for key in state:
        try:
            found.setdefault(mailbox_of(key), []).append(key)
        except MalformedRecordError as error:
            logger.warning("state_unreadable", error=str(error))
    return found


def _open_records(records: Mapping[bytes, bytes], keys_of: Callable[[str], TenantKeys]) -> _OpenedRecords:
    opened = _OpenedRecords()
    for key, value in records.items():
        try:
            _open_record(key, envelopes.decode(value), keys_of, opened)
        except KeyDestroyedError:
            continue
        except MalformedRecordError as error:
            opened.doubtful = True
            logger.warning("state_unreadable", error=str(error))
    return opened


def _open_record(key: bytes, envelope: Envelope, keys_of: Callable[[str], TenantKeys], opened: _OpenedRecords) -> None:
    if envelope.type == calendar_state.LEFT_TYPE:
        return
    keys = keys_of(envelope.tenant)
    if envelope.type == calendar_state.MAILBOX_TYPE:
        opened.state = open_envelope(envelope, keys, MailboxState, key=key)
    elif envelope.type == attendee_snapshot.TYPE:
        piece = open_envelope(envelope, keys, SnapshotPiece, key=key, newest=attendee_snapshot.VERSION)
        opened.snapshots.setdefault(piece.series, {})[piece.bits] = piece
    else:
        opened.references.append(open_reference(key, envelope, keys))


def forget_destroyed(state: Mapping[bytes, bytes], keyring: Keyring) -> list[StateChange]:
    """
    What a destroyed key sealed in a claim's restored state, to be deleted: nothing will ever read it.

    Raises:
        StoreUnavailableError: the keyring is away.
    """
    eras: dict[str, str] = {}
    gone = []
    for key, value in state.items():
        try:
            envelope = envelopes.decode(value)
        except MalformedRecordError:
            continue  # `restore_mailboxes` says so
        if envelope.tenant not in eras:
            eras[envelope.tenant] = _era(envelope.tenant, keyring)
        if envelope.era and envelope.era != eras[envelope.tenant]:
            gone.append(StateChange(key, None))
    return gone


def _era(tenant: str, keyring: Keyring) -> str:
    try:
        return keyring.keys(tenant).era
    except KeyDestroyedError:
        return ""


def mailbox_of(key: bytes) -> Mailbox:
    """The mailbox that a record of `calendar-state` is about. Raises MalformedRecordError for a key of another form."""
    try:
        tenant, mailbox, *_ = key.decode().split("/")
    except ValueError as error:
        message = f"not a key of calendar-state: {key[:80]!r}"
        raise MalformedRecordError(message) from error
    return Mailbox(tenant, mailbox)


def left_key(mailbox: Mailbox) -> bytes:
    """The key of what is kept of a mailbox that left."""
    return mailbox.key + _LEFT


def is_left_key(key: bytes) -> bool:
    """Whether a record of `calendar-state` is what is kept of a mailbox that left: an event's pseudonym is never that word."""
    return key.endswith(_LEFT)


def left_change(mailbox: Mailbox, ends: Mapping[str, int], keys: TenantKeys) -> StateChange:
    """The record of a mailbox that left: meeting → when its last date ends. Without meetings it is deleted."""
    if not ends:
        return StateChange(left_key(mailbox), None)
    key, left = left_key(mailbox), LeftMailbox(meetings=dict(ends))
    value = sealed_envelope(keys, left, key=key, type=calendar_state.LEFT_TYPE, id=mailbox.id, compress=True)
    return StateChange(key, value)


def state_change(mailbox: Mailbox, state: MailboxState | None, keys: TenantKeys) -> StateChange:
    """The mailbox's own record; None deletes it."""
    if state is None:
        return StateChange(mailbox.key, None)
    value = sealed_envelope(keys, state, key=mailbox.key, type=calendar_state.MAILBOX_TYPE, id=mailbox.id)
    return StateChange(mailbox.key, value)


def reference_change(
    mailbox: Mailbox, event_id: str, reference: EventReference | None, keys: TenantKeys
) -> StateChange:
    """One event's record, keyed by a pseudonym: the id itself is sealed. None deletes it."""
    name = pseudonym(keys.hash_key, "event", event_id)
    key = f"{mailbox.tenant}/{mailbox.id}/{name}".encode()
    return StateChange(key, sealed_reference(key, keys, reference, name) if reference else None)


def snapshot_changes(
    mailbox: Mailbox, series: str, pieces: Mapping[str, SnapshotPiece | None], keys: TenantKeys
) -> list[StateChange]:
    """The records of the pieces of a series' snapshot, by their bits; None deletes one."""
    return [_snapshot_change(mailbox, series, bits, piece, keys) for bits, piece in pieces.items()]


def _snapshot_change(
    mailbox: Mailbox, series: str, bits: str, piece: SnapshotPiece | None, keys: TenantKeys
) -> StateChange:
    key = "/".join([mailbox.tenant, mailbox.id, "people", series, *([bits] if bits else [])]).encode()
    if piece is None:
        return StateChange(key, None)
    sealed = sealed_envelope(
        keys, piece, key=key, type=attendee_snapshot.TYPE, version=attendee_snapshot.VERSION, id=f"{series}/{bits}"
    )
    return StateChange(key, sealed)
