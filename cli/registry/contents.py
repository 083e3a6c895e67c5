"""What registry, keyring and log say that a backup, a restore or a move has to know; and writing rows back."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from cli.common.records import all_records
from cli.registry.restore_plan import Today
from shared.contracts import envelope as envelopes
from shared.contracts.command import Command, Disconnect
from shared.contracts.erasure import Erasure, KeyClass
from shared.contracts.topics import COMMANDS
from shared.domain.identity import Mailbox
from shared.errors import ConflictError, MalformedRecordError
from shared.organisations.enrolment import NOBODY
from shared.ports.engine import Engine
from shared.ports.holdings import StoredRow, WholeKeyring, WholeRegistry
from shared.ports.keyring import Keyring
from shared.ports.log import Log, Record
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.archive import Contents, Eras
from shared.runtime.erasure import erased, erasure_record, standing_era

_PAGE = 500


def rows_of(registry: Registry) -> Sequence[StoredRow]:
    """Everything the registry holds. Raises StoreUnavailableError."""
    if not isinstance(registry, WholeRegistry):
        raise TypeError(registry)
    return registry.everything()


def whole(keyring: Keyring) -> WholeKeyring:
    """The keyring as something that can be moved."""
    if not isinstance(keyring, WholeKeyring):
        raise TypeError(keyring)
    return keyring


def contents(engine: Engine, *, with_keys: bool) -> Contents:
    """What a backup or, `with_keys`, an export holds. Raises StoreUnavailableError, LogUnavailableError."""
    rows = rows_of(engine.registry)
    tenants = sorted({row.tenant for row in rows} - {NOBODY})
    return Contents(
        rows=list(rows),
        eras=eras(engine.keyring, tenants),
        erasures=list(erased(engine.log)),
        keys=list(whole(engine.keyring).wrapped()) if with_keys else [],
    )


def eras(keyring: Keyring, tenants: Iterable[str]) -> dict[str, Eras]:
    """The names of the keys that stand. Raises StoreUnavailableError."""
    return {
        tenant: Eras(
            data=standing_era(keyring, tenant, KeyClass.DATA), consent=standing_era(keyring, tenant, KeyClass.CONSENT)
        )
        for tenant in tenants
    }


def today(
    engine: Engine, backup: Contents, erasures: Collection[tuple[str, Erasure]], *, made_at_ms: int, now_ms: int
) -> Today:
    """What the restore of a backup made at `made_at_ms` finds. Raises StoreUnavailableError, LogUnavailableError."""
    standing = surviving(eras(engine.keyring, backup.eras), erasures)
    return Today(
        now_ms=now_ms,
        eras=standing,
        keys={tenant: engine.keyring.keys(tenant) for tenant, era in standing.items() if era.data},
        directories={name: row.tenant for name, row in tables.directories(engine.registry).scan(NOBODY)},
        data_erased_ms={
            tenant: erasure.at_ms
            for tenant, erasure in erasures
            if erasure.key_class is KeyClass.DATA and erasure.era == backup.eras.get(tenant, Eras()).data
        },
        taken_back=taken_back(engine.log, made_at_ms),
    )


def surviving(standing: Mapping[str, Eras], erasures: Iterable[tuple[str, Erasure]]) -> dict[str, Eras]:
    """The keys that stand and may: without those whose destruction is on record."""
    gone = {(tenant, erasure.key_class, erasure.era) for tenant, erasure in erasures}
    return {
        tenant: Eras(
            data="" if (tenant, KeyClass.DATA, era.data) in gone else era.data,
            consent="" if (tenant, KeyClass.CONSENT, era.consent) in gone else era.consent,
        )
        for tenant, era in standing.items()
    }


def taken_back(log: Log, since_ms: int) -> set[tuple[str, str]]:
    """Tenant and mailbox of everybody who disconnected at `since_ms` or later, as far back as `commands` reaches."""
    found = set()
    for partition in range(log.partitions):
        for record in all_records(log, COMMANDS.name, partition):
            if _may_take_back(record, since_ms):
                with contextlib.suppress(ValueError):  # a key that names nobody
                    mailbox = Mailbox.from_key(record.key)
                    found.add((mailbox.tenant, mailbox.id))
    return found


def _may_take_back(record: Record, since_ms: int) -> bool:
    """A command that cannot be read counts: to connect once more is better than to be read against one's will."""
    try:
        wish: Command = envelopes.payload_of(envelopes.decode(record.value or b""), Command)  # type: ignore[arg-type]  # a union
    except MalformedRecordError:
        return record.appended_at_ms >= since_ms
    return isinstance(wish, Disconnect) and wish.at_ms >= since_ms


def missing(registry: Registry, rows: Iterable[StoredRow]) -> int:
    """How many of them `write_rows` would write. Raises StoreUnavailableError."""
    return sum(registry.get(row.table, row.tenant, row.row) is None for row in rows)


def write_rows(registry: Registry, rows: Iterable[StoredRow]) -> int:
    """Write rows where none stands; returns how many. A row that stands is newer, and stays. Raises StoreUnavailableError."""
    count = 0
    for row in rows:
        try:
            registry.put(row.table, row.tenant, row.row, row.value, expect=0, not_after_ms=row.not_after_ms)
        except ConflictError:
            continue
        count += 1
    return count


def make_missing_keys(keyring: Keyring, rows: Iterable[StoredRow]) -> None:
    """Nobody can sign in to an organisation without keys: those that come back get new ones for the ones that are gone."""
    for row in rows:
        if row.table == tables.tenants.name:
            keyring.create(row.tenant)


def record_erasures(log: Log, erasures: Iterable[tuple[str, Erasure]]) -> int:
    """Put on record which of them the log does not know yet; returns how many. Raises LogUnavailableError."""
    known = {(tenant, erasure.key_class, erasure.era) for tenant, erasure in erased(log)}
    records = [
        erasure_record(tenant, erasure.key_class, erasure.era, erasure.at_ms, log.partitions)
        for tenant, erasure in erasures
        if (tenant, erasure.key_class, erasure.era) not in known
    ]
    for start in range(0, len(records), _PAGE):
        log.append(records[start : start + _PAGE])
    return len(records)
