"""What becomes of each row of a backup, in the light of the keys that stand today. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from shared.contracts.envelope import read_json
from shared.contracts.rows import ConsentRow, ConsentState, DirectoryRow, IntegrationState, RoomRow, TenantRow, UserRow
from shared.domain.keys import TenantKeys
from shared.organisations.integration import SLEEP_MS
from shared.ports.holdings import StoredRow
from shared.runtime.archive import Eras

KEPT = frozenset({"tenants", "directories", "rooms", "users", "appointments", "audit"})
"""Tables that need no destroyed key, or can do without what it sealed."""
BY_CONSENT_KEY = frozenset({"consents", "endings"})
"""Sealed by the consent key: worth nothing without it."""
BY_DATA_KEYS = frozenset({"dismissals", "takes", "bookings", "attendances", "office-days"})
"""What people added of their own: it goes with the data keys, as switching off deletes it."""
NEVER = frozenset({"sessions", "sign-ins", "leases", "freshness"})
"""
Who signed out since must stay out, and who was signing in begins anew; a lease is nobody's any more; how fresh something
was says nothing of today.
"""

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
    rows = sorted(rows, key=lambda row: row.table == "directories")
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
    if row.table != "directories":
        return ""
    tenant = read_json(row.value, DirectoryRow).tenant
    return tenant if today.directories.get(row.row, tenant) != tenant else ""


def _refused(row: StoredRow, then: Eras, today: Today, anew: Collection[str]) -> str:
    """Why the row does not come back; "" if it does."""
    if row.not_after_ms is not None and row.not_after_ms <= today.now_ms:
        return PAST
    if row.table in NEVER:
        return SIGNED_OUT
    tenant = read_json(row.value, DirectoryRow).tenant if row.table == "directories" else row.tenant
    if tenant in anew:
        return ENROLLED_ANEW
    if row.table == "consents" and (row.tenant, row.row) in today.taken_back:
        return TAKEN_BACK
    return _unreadable(row, data=_data_gone(row.tenant, then, today), consent=_consent_gone(row.tenant, then, today))


def _unreadable(row: StoredRow, *, data: bool, consent: bool) -> str:
    if consent and (row.table in BY_CONSENT_KEY or _is_plain_user(row)):
        return NO_CONSENT_KEY
    if row.table in BY_DATA_KEYS and data:
        return NO_DATA_KEY
    known = KEPT | BY_CONSENT_KEY | BY_DATA_KEYS
    return UNKNOWN if row.table not in known and (data or consent) else ""


def _is_plain_user(row: StoredRow) -> bool:
    """Administrators outlive the consents; everybody else's row goes with them, as the end of the sleep deletes it."""
    return row.table == "users" and not read_json(row.value, UserRow).roles


def _keep(found: Plan, row: StoredRow, then: Eras, today: Today) -> None:
    data, consent = _data_gone(row.tenant, then, today), _consent_gone(row.tenant, then, today)
    if row.table == "rooms" and data:
        found.rows.append(_unpaired(row, today))
        found.changed[row.table, "unpaired: pair them again"] += 1
    elif row.table == "tenants" and data:
        found.rows.append(_switched_off(row, today, consent=consent))
        found.changed[row.table, "switched off, as they were when their keys were destroyed"] += 1
    elif row.table == "consents" and data:
        found.rows.append(_asleep(row))
        found.changed[row.table, "asleep: their organisation is off"] += 1
    elif row.table == "users" and consent:
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
