"""What becomes of each row of a backup, in the light of the keys that stand today. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.erasure import KeyClass
from shared.contracts.rows import ConsentRow, ConsentState, DirectoryRow, IntegrationState, RoomRow, TenantRow, UserRow
from shared.domain.keys import TenantKeys
from shared.grants.sleep import SLEEP_MS
from shared.ports.holdings import StoredRow
from shared.registry import tables
from shared.runtime.archive import Eras

PAST, SIGNED_OUT, NO_CONSENT_KEY, NO_DATA_KEY = (
    "past their deadline", "never brought back", "their consent key is gone", "their data keys are gone"
)  # fmt: skip
TAKEN_BACK, ENROLLED_ANEW, UNKNOWN = (
    "disconnected since", "their organisation was enrolled anew since", "of a table unknown here, with a key gone"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Today:
    """What the restore finds."""

    now_ms: int
    eras: Mapping[str, Eras]
    """Tenant → the keys that stand."""
    keys: Mapping[str, TenantKeys]
    """The keys themselves, where data keys stand."""
    directories: Mapping[str, str] = field(default_factory=dict)
    """`provider:directory` → the tenant it is today."""
    data_erased_ms: Mapping[str, int] = field(default_factory=dict)
    """Tenant → when its data keys were destroyed, by the record of it."""
    taken_back: Collection[tuple[str, str]] = ()
    """Tenant and mailbox of everybody who disconnected after the backup was made."""


@dataclass(slots=True)
class Plan:
    """Rows to write, and for all others why not."""

    rows: list[StoredRow] = field(default_factory=list)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Table and reason → how many."""
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Table and what was done to the row → how many."""
    anew: set[str] = field(default_factory=set)
    """Tenants of the backup whose organisation is another tenant today."""


def plan(rows: Iterable[StoredRow], backed_up: Mapping[str, Eras], today: Today) -> Plan:
    """
    Decide row by row. Directories come last: until theirs stands, nobody finds the tenant.

    Raises:
        MalformedRecordError: a row cannot be read; nothing is to be written.
    """
    found = Plan()
    rows = sorted(rows, key=lambda row: row.table == tables.directories.name)
    found.anew = {tenant for row in rows if (tenant := _another_tenant(row, today))}
    for row in rows:
        reason = _refused(row, backed_up.get(row.tenant, Eras()), today, found.anew)
        if reason:
            found.dropped[row.table, reason] += 1
        else:
            _keep(found, row, backed_up.get(row.tenant, Eras()), today)
    return found


def _another_tenant(row: StoredRow, today: Today) -> str:
    """The tenant of the backup that a directory row names, if the directory belongs to another one today."""
    if row.table != tables.directories.name:
        return ""
    tenant = read_json(row.value, DirectoryRow).tenant
    return tenant if today.directories.get(row.row, tenant) != tenant else ""


def _refused(row: StoredRow, then: Eras, today: Today, anew: Collection[str]) -> str:
    """Why the row does not come back; "" if it does."""
    if row.not_after_ms is not None and row.not_after_ms <= today.now_ms:
        return PAST
    if not is_restored(row.table):
        return SIGNED_OUT
    tenant = read_json(row.value, DirectoryRow).tenant if row.table == tables.directories.name else row.tenant
    if tenant in anew:
        return ENROLLED_ANEW
    if row.table == tables.consents.name and (row.tenant, row.row) in today.taken_back:
        return TAKEN_BACK
    return _unreadable(row, data=_data_gone(row.tenant, then, today), consent=_consent_gone(row.tenant, then, today))


def is_restored(table: str) -> bool:
    """Whether rows of the table come back at all; those of a table unknown here do, while their keys stand."""
    known = tables.BY_NAME.get(table)
    return known is None or known.restored


def _unreadable(row: StoredRow, *, data: bool, consent: bool) -> str:
    table = tables.BY_NAME.get(row.table)
    if table is None:
        return UNKNOWN if data or consent else ""
    gone = {KeyClass.DATA: data, KeyClass.CONSENT: consent}
    if table.erased_with is None or not gone[table.erased_with]:
        return ""
    if table.spared is not None and table.spares(read_json(row.value, table.row)):
        return ""
    return NO_CONSENT_KEY if table.erased_with is KeyClass.CONSENT else NO_DATA_KEY


def _keep(found: Plan, row: StoredRow, then: Eras, today: Today) -> None:
    data, consent = _data_gone(row.tenant, then, today), _consent_gone(row.tenant, then, today)
    if row.table == tables.rooms.name and data:
        found.rows.append(_unpaired(row, today))
        found.changed[row.table, "unpaired: pair them again"] += 1
    elif row.table == tables.tenants.name and data:
        found.rows.append(_switched_off(row, today, consent=consent))
        found.changed[row.table, "switched off, as they were when their keys were destroyed"] += 1
    elif row.table == tables.consents.name and data:
        found.rows.append(_asleep(row))
        found.changed[row.table, "asleep: their organisation is off"] += 1
    elif row.table == tables.users.name and consent:
        found.rows.append(_nameless(row))
        found.changed[row.table, "without their address, until they sign in again"] += 1
    else:
        found.rows.append(row)


def _unpaired(row: StoredRow, today: Today) -> StoredRow:
    """A room's id is a pseudonym under the hash key: where a new one stands, the room goes by its new name."""
    room = msgspec.structs.replace(read_json(row.value, RoomRow), paired=False)
    keys = today.keys.get(row.tenant)
    return StoredRow(
        row.table, row.tenant, keys.room(room.address) if keys else row.row, _encoded(room), row.not_after_ms
    )


def _switched_off(row: StoredRow, today: Today, *, consent: bool) -> StoredRow:
    tenant = read_json(row.value, TenantRow)
    asleep_until_ms = today.data_erased_ms.get(row.tenant, today.now_ms) + SLEEP_MS
    asleep = not consent and today.now_ms < asleep_until_ms
    state = IntegrationState.DISABLED if asleep else IntegrationState.OFF
    off = msgspec.structs.replace(
        tenant, integration=state, sleep_until_ms=asleep_until_ms if asleep else 0, doomed_era=""
    )
    return StoredRow(row.table, row.tenant, row.row, _encoded(off), row.not_after_ms)


def _asleep(row: StoredRow) -> StoredRow:
    grant = read_json(row.value, ConsentRow)
    if grant.state is not ConsentState.REVOKED:
        grant = msgspec.structs.replace(grant, state=ConsentState.SLEEPING)
    return StoredRow(row.table, row.tenant, row.row, _encoded(grant), row.not_after_ms)


def _nameless(row: StoredRow) -> StoredRow:
    user = msgspec.structs.replace(read_json(row.value, UserRow), address_sealed=b"")
    return StoredRow(row.table, row.tenant, row.row, _encoded(user), row.not_after_ms)


def _data_gone(tenant: str, then: Eras, today: Today) -> bool:
    return bool(then.data) and today.eras.get(tenant, Eras()).data != then.data


def _consent_gone(tenant: str, then: Eras, today: Today) -> bool:
    return bool(then.consent) and today.eras.get(tenant, Eras()).consent != then.consent


def _encoded(row: msgspec.Struct) -> bytes:
    return msgspec.json.encode(row)
