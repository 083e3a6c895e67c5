"""Decides for each row of a backup whether it comes back, and how, by the keys that exist today. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.erasure import KeyClass
from shared.contracts.rows import (
    AuditRow,
    ConsentRow,
    ConsentState,
    DirectoryRow,
    IntegrationState,
    RoomRow,
    TenantRow,
    UserRow,
)
from shared.domain.keys import TenantKeys
from shared.grants.sleep import SLEEP_MS
from shared.organisations.audit_chain import digest_of, number_of
from shared.organisations.audit_check import Chain, Entry, fitting_numbers
from shared.ports.holdings import StoredRow
from shared.registry import tables
from shared.runtime.archive import Eras

PAST, SIGNED_OUT, NO_CONSENT_KEY, NO_DATA_KEY = (
    "past their deadline", "never brought back", "their consent key is gone", "their data keys are gone"
)  # fmt: skip
OTHER_CHAIN = "not of the chain that stands here"
TAKEN_BACK, ENROLLED_ANEW, UNKNOWN = (
    "disconnected since", "their organisation was enrolled anew since", "of a table unknown here, with a key gone"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CurrentState:
    """What the restore has to respect of the deployment as it is now."""

    now_ms: int
    eras: Mapping[str, Eras]
    """Tenant → the keys that stand."""
    keys: Mapping[str, TenantKeys]
    """The keys themselves, where data keys stand."""
    directories: Mapping[str, str] = field(default_factory=dict)
    """`provider:directory` → the tenant it is today."""
    data_erased_ms: Mapping[str, int] = field(default_factory=dict)
    """Tenant → when its data keys were destroyed, by the record of it."""
    chains: Mapping[str, Chain] = field(default_factory=dict)
    """Tenant → the chain of administrators' acts that stands."""
    taken_back: Collection[tuple[str, str]] = ()
    """Tenant and mailbox of everybody who disconnected after the backup was made."""


@dataclass(slots=True)
class RestorePlan:
    """The rows to write, and why the others are left out."""

    rows: list[StoredRow] = field(default_factory=list)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Table and reason → how many."""
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Table and what was done to the row → how many."""
    anew: set[str] = field(default_factory=set)
    """Tenants of the backup whose organisation is another tenant today."""
    fitting: dict[str, set[int]] = field(default_factory=dict)
    """Tenant → numbers of administrators' acts that continue the chain that stands, where one stands."""


def plan_restore(rows: Iterable[StoredRow], backed_up: Mapping[str, Eras], current: CurrentState) -> RestorePlan:
    """
    Decide row by row. Directories come last: until theirs stands, nobody finds the tenant. An index is made with its table's rows.

    Raises:
        MalformedRecordError: a row cannot be read; nothing is to be written.
    """
    found = RestorePlan()
    rows = sorted(rows, key=lambda row: row.table == tables.directories.name)
    found.anew = {tenant for row in rows if (tenant := _another_tenant(row, current))}
    found.fitting = _find_fitting(rows, current)
    for row in (each for each in rows if each.table not in tables.INDEXES):
        reason = _find_refusal(row, backed_up.get(row.tenant, Eras()), current, found)
        if reason:
            found.dropped[row.table, reason] += 1
        else:
            _add_row(found, row, backed_up.get(row.tenant, Eras()), current)
    return found


def _another_tenant(row: StoredRow, current: CurrentState) -> str:
    """The tenant of the backup that a directory row names, if the directory belongs to another one today."""
    if row.table != tables.directories.name:
        return ""
    tenant = read_json(row.value, DirectoryRow).tenant
    return tenant if current.directories.get(row.row, tenant) != tenant else ""


def _find_fitting(rows: Iterable[StoredRow], current: CurrentState) -> dict[str, set[int]]:
    offered: dict[str, dict[int, Entry]] = {}
    for row in rows:
        if row.table == tables.audit.name and (number := number_of(row.row)):
            entry = Entry(read_json(row.value, AuditRow), digest_of(row.row, row.value))
            offered.setdefault(row.tenant, {})[number] = entry
    standing = ((tenant, chain) for tenant, chain in current.chains.items() if chain.head or chain.head_refused)
    return {tenant: fitting_numbers(chain, offered.get(tenant, {})) for tenant, chain in standing}


def _find_refusal(row: StoredRow, then: Eras, current: CurrentState, found: RestorePlan) -> str:
    """Why the row does not come back; "" if it does."""
    if row.not_after_ms is not None and row.not_after_ms <= current.now_ms:
        return PAST
    if not is_restored(row.table):
        return SIGNED_OUT
    tenant = read_json(row.value, DirectoryRow).tenant if row.table == tables.directories.name else row.tenant
    if tenant in found.anew:
        return ENROLLED_ANEW
    if row.table == tables.consents.name and (row.tenant, row.row) in current.taken_back:
        return TAKEN_BACK
    if row.table == tables.audit.name and _is_of_another_chain(row, current, found):
        return OTHER_CHAIN
    return _find_missing_key(
        row, data=_is_data_key_gone(row.tenant, then, current), consent=_is_consent_key_gone(row.tenant, then, current)
    )


def _is_of_another_chain(row: StoredRow, current: CurrentState, found: RestorePlan) -> bool:
    number, fits = number_of(row.row), found.fitting.get(row.tenant)
    return bool(number) and fits is not None and number not in fits | current.chains[row.tenant].entries.keys()


def is_restored(table: str) -> bool:
    """Whether rows of the table come back at all; those of a table unknown here do, while their keys stand."""
    known = tables.BY_NAME.get(table)
    return known is None or known.restored


def _find_missing_key(row: StoredRow, *, data: bool, consent: bool) -> str:
    table = tables.BY_NAME.get(row.table)
    if table is None:
        return UNKNOWN if data or consent else ""
    gone = {KeyClass.DATA: data, KeyClass.CONSENT: consent}
    if table.erased_with is None or not gone[table.erased_with]:
        return ""
    if table.spared is not None and table.spares(read_json(row.value, table.row)):
        return ""
    return NO_CONSENT_KEY if table.erased_with is KeyClass.CONSENT else NO_DATA_KEY


def _add_row(found: RestorePlan, row: StoredRow, then: Eras, current: CurrentState) -> None:
    data, consent = _is_data_key_gone(row.tenant, then, current), _is_consent_key_gone(row.tenant, then, current)
    if row.table == tables.rooms.name and data:
        found.rows.append(_unpair_room(row, current))
        found.changed[row.table, "unpaired: pair them again"] += 1
    elif row.table == tables.tenants.name and data:
        found.rows.append(_switch_off(row, current, consent=consent))
        found.changed[row.table, "switched off, as they were when their keys were destroyed"] += 1
    elif row.table == tables.consents.name and data:
        found.rows.append(_put_to_sleep(row))
        found.changed[row.table, "asleep: their organisation is off"] += 1
    elif row.table == tables.users.name and consent:
        found.rows.append(_clear_address(row))
        found.changed[row.table, "without their address, until they sign in again"] += 1
    else:
        found.rows.append(row)


def _unpair_room(row: StoredRow, current: CurrentState) -> StoredRow:
    """A room's id is a pseudonym under the hash key: where a new one stands, the room goes by its new name."""
    room = msgspec.structs.replace(read_json(row.value, RoomRow), paired=False)
    keys = current.keys.get(row.tenant)
    return StoredRow(
        row.table, row.tenant, keys.room(room.address) if keys else row.row, _encode(room), row.not_after_ms
    )


def _switch_off(row: StoredRow, current: CurrentState, *, consent: bool) -> StoredRow:
    tenant = read_json(row.value, TenantRow)
    asleep_until_ms = current.data_erased_ms.get(row.tenant, current.now_ms) + SLEEP_MS
    asleep = not consent and current.now_ms < asleep_until_ms
    state = IntegrationState.DISABLED if asleep else IntegrationState.OFF
    off = msgspec.structs.replace(
        tenant, integration=state, sleep_until_ms=asleep_until_ms if asleep else 0, doomed_era=""
    )
    return StoredRow(row.table, row.tenant, row.row, _encode(off), row.not_after_ms)


def _put_to_sleep(row: StoredRow) -> StoredRow:
    grant = read_json(row.value, ConsentRow)
    if grant.state is not ConsentState.REVOKED:
        grant = msgspec.structs.replace(grant, state=ConsentState.SLEEPING)
    return StoredRow(row.table, row.tenant, row.row, _encode(grant), row.not_after_ms)


def _clear_address(row: StoredRow) -> StoredRow:
    user = msgspec.structs.replace(read_json(row.value, UserRow), address_sealed=b"")
    return StoredRow(row.table, row.tenant, row.row, _encode(user), row.not_after_ms)


def _is_data_key_gone(tenant: str, then: Eras, current: CurrentState) -> bool:
    return bool(then.data) and current.eras.get(tenant, Eras()).data != then.data


def _is_consent_key_gone(tenant: str, then: Eras, current: CurrentState) -> bool:
    return bool(then.consent) and current.eras.get(tenant, Eras()).consent != then.consent


def _encode(row: msgspec.Struct) -> bytes:
    return msgspec.json.encode(row)
