"""Reads from registry, keyring and log what a backup, a restore or a move needs, and writes rows back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from cli.common.records import read_all
from cli.registry.restore_plan import CurrentState
from shared.contracts import envelope as envelopes
from shared.contracts.command import Command, Disconnect
from shared.contracts.envelope import read_json
from shared.contracts.erasure import Erasure, KeyClass
from shared.contracts.topics import COMMANDS
from shared.domain.identity import Mailbox
from shared.engines.bound_registry import BoundRegistry
from shared.errors import ConflictError, MalformedRecordError, RowKeyMissingError, RowRefusedError
from shared.organisations.audit_chain import read_chain
from shared.organisations.enrolment import NOBODY
from shared.ports.engine import Engine
from shared.ports.holdings import StoredRow, WholeKeyring, WholeRegistry
from shared.ports.keyring import Keyring
from shared.ports.log import Log, Record
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.archive import Contents, Eras
from shared.runtime.erasure import current_era, erasure_record, read_erasures

_PAGE = 500


def read_rows(registry: Registry) -> Sequence[StoredRow]:
    """Return every row of the registry. Raises StoreUnavailableError."""
    if not isinstance(registry, WholeRegistry):
        raise TypeError(registry)
    return registry.everything()


def require_whole_keyring(keyring: Keyring) -> WholeKeyring:
    """Return the keyring as one that can be moved. Raises TypeError: this engine's cannot."""
    if not isinstance(keyring, WholeKeyring):
        raise TypeError(keyring)
    return keyring


def collect_contents(engine: Engine, *, with_keys: bool, refuse: Callable[[RowRefusedError], object]) -> Contents:
    """
    Return what a backup or, `with_keys`, an export contains.

    Args:
        engine: Whose registry, keyring and log.
        with_keys: Whether the keys go with it.
        refuse: Is told of each row that was tampered with. It is left out: nobody knows what stood there.

    Raises:
        StoreUnavailableError, LogUnavailableError: something is away.
        RowKeyMissingError: the master key that bound a row is not in the ring.
    """
    if not isinstance(engine.registry, BoundRegistry):
        raise TypeError(engine.registry)
    rows = engine.registry.readable(refuse)
    tenants = sorted({row.tenant for row in rows} - {NOBODY})
    return Contents(
        rows=list(rows),
        eras=read_eras(engine.keyring, tenants),
        erasures=list(read_erasures(engine.log)),
        keys=list(require_whole_keyring(engine.keyring).wrapped()) if with_keys else [],
    )


def read_eras(keyring: Keyring, tenants: Iterable[str]) -> dict[str, Eras]:
    """Return tenant → the names of its present keys. Raises StoreUnavailableError."""
    return {
        tenant: Eras(
            data=current_era(keyring, tenant, KeyClass.DATA), consent=current_era(keyring, tenant, KeyClass.CONSENT)
        )
        for tenant in tenants
    }


def read_current_state(
    engine: Engine,
    backup: Contents,
    erasures: Collection[tuple[str, Erasure]],
    refuse: Callable[[RowRefusedError], object],
    *,
    made_at_ms: int,
    now_ms: int,
) -> CurrentState:
    """
    Return what a restore of a backup made at `made_at_ms` has to respect.

    Args:
        engine: Whose registry, keyring and log.
        backup: What is to come back.
        erasures: What is on record as destroyed.
        refuse: Is told of each directory whose row was tampered with. It counts as another organisation's: nobody knows whose.
        made_at_ms: When the backup was made.
        now_ms: The present, in epoch milliseconds.

    Raises:
        StoreUnavailableError, LogUnavailableError: something is away.
        RowKeyMissingError: the master key that bound a row is not in the ring.
    """
    standing = drop_erased_keys(read_eras(engine.keyring, backup.eras), erasures)
    return CurrentState(
        now_ms=now_ms,
        eras=standing,
        keys={tenant: engine.keyring.keys(tenant) for tenant, era in standing.items() if era.data},
        directories=read_directories(engine.registry, refuse),
        data_erased_ms={
            tenant: erasure.at_ms
            for tenant, erasure in erasures
            if erasure.key_class is KeyClass.DATA and erasure.era == backup.eras.get(tenant, Eras()).data
        },
        chains={tenant: read_chain(engine.registry, tenant)[0] for tenant in backup.eras},
        taken_back=find_disconnected(engine.log, made_at_ms),
    )


def read_directories(registry: Registry, refuse: Callable[[RowRefusedError], object]) -> dict[str, str]:
    """Return `provider:directory` → the tenant it is; "" where the row is refused, of which `refuse` is told."""
    refused: dict[str, str] = {}

    def note(error: RowRefusedError) -> None:
        if isinstance(error, RowKeyMissingError):
            raise error
        refuse(error)
        refused[error.row] = ""

    readable = tables.directories(registry).scan_readable(NOBODY, note)
    return {name: row.tenant for name, row in readable} | refused


def drop_erased_keys(standing: Mapping[str, Eras], erasures: Iterable[tuple[str, Erasure]]) -> dict[str, Eras]:
    """Return the present keys without those whose destruction is on record."""
    gone = {(tenant, erasure.key_class, erasure.era) for tenant, erasure in erasures}
    return {
        tenant: Eras(
            data="" if (tenant, KeyClass.DATA, era.data) in gone else era.data,
            consent="" if (tenant, KeyClass.CONSENT, era.consent) in gone else era.consent,
        )
        for tenant, era in standing.items()
    }


def find_disconnected(log: Log, since_ms: int) -> set[tuple[str, str]]:
    """Return tenant and mailbox of everybody who disconnected at `since_ms` or later, as far back as `commands` reaches."""
    found = set()
    for partition in range(log.partitions):
        for record in read_all(log, COMMANDS.name, partition):
            if _may_disconnect(record, since_ms):
                with contextlib.suppress(ValueError):  # a key that names nobody
                    mailbox = Mailbox.from_key(record.key)
                    found.add((mailbox.tenant, mailbox.id))
    return found


def _may_disconnect(record: Record, since_ms: int) -> bool:
    """Whether the record may be a disconnection. One that cannot be read counts: nobody is read against their will."""
    try:
        command: Command = envelopes.payload_of(envelopes.decode(record.value or b""), Command)  # type: ignore[arg-type]  # a union
    except MalformedRecordError:
        return record.appended_at_ms >= since_ms
    return isinstance(command, Disconnect) and command.at_ms >= since_ms


def count_missing(registry: Registry, rows: Iterable[StoredRow]) -> int:
    """Count the rows that `write_rows` would write. Raises StoreUnavailableError."""
    return sum(registry.get(row.table, row.tenant, row.row) is None for row in rows)


def write_rows(registry: Registry, rows: Iterable[StoredRow]) -> int:
    """
    Write rows where none stands, found by the index of their table; returns how many. A row that stands is newer, and stays.

    Raises:
        StoreUnavailableError: some may be missing; repeat it.
    """
    count = 0
    for row in rows:
        table = tables.BY_NAME.get(row.table)
        if isinstance(table, tables.IndexedTable):
            table(registry).enter(row.tenant, row.row, read_json(row.value, table.row))
        try:
            registry.put(row.table, row.tenant, row.row, row.value, expect=0, not_after_ms=row.not_after_ms)
        except ConflictError:
            continue
        count += 1
    return count


def make_missing_keys(keyring: Keyring, rows: Iterable[StoredRow]) -> None:
    """Create keys for the organisations that come back without: nobody could sign in to them otherwise."""
    for row in rows:
        if row.table == tables.tenants.name:
            keyring.create(row.tenant)


def record_erasures(log: Log, erasures: Iterable[tuple[str, Erasure]]) -> int:
    """Put on record which of them the log does not know yet; returns how many. Raises LogUnavailableError."""
    known = {(tenant, erasure.key_class, erasure.era) for tenant, erasure in read_erasures(log)}
    records = [
        erasure_record(tenant, erasure.key_class, erasure.era, erasure.at_ms, log.partitions)
        for tenant, erasure in erasures
        if (tenant, erasure.key_class, erasure.era) not in known
    ]
    for start in range(0, len(records), _PAGE):
        log.append(records[start : start + _PAGE])
    return len(records)
