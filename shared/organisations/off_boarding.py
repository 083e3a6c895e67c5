"""What becomes of an organisation's data and people after switching off: its keys destroyed, its rows deleted or re-made."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from shared.contracts.erasure import KeyClass
from shared.contracts.rows import IntegrationState, LeaseRow, RoomRow, TenantRow, UserRow
from shared.domain.instants import MINUTE_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.grants.vault import ConsentVault
from shared.organisations.integration import IntegrationTransition, after
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables

_LEASE_MS = MINUTE_MS

Erase = Callable[[], None]


def unpair(registry: Registry, tenant: str) -> None:
    """Part every room from its calendar; the rows and the addresses stay. Idempotent."""
    table = tables.rooms(registry)
    for room_id, _ in table.scan_readable(tenant):
        table.change(tenant, room_id, lambda row: msgspec.structs.replace(row, paired=False) if row else None)


def finish_erasure(registry: Registry, keyring: Keyring, tenant: str, *, erase: Erase, now_ms: int) -> bool:
    """
    Destroy the data keys that disabling doomed, and re-make under new ones what stays. Idempotent.

    Args:
        erase: Destroys the tenant's data keys, after putting that on record.
        now_ms: For the lease: no two processes do this at once.

    Returns:
        Whether nothing is left to be done; False while another process is at it.
    """
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is None or not row.doomed_era:
        return True
    with_lease = _leased(registry, tenant, "data", now_ms)
    if not with_lease:
        return False
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is not None and row.doomed_era:
        if _era(keyring, tenant) == row.doomed_era:
            erase()
        _remake(registry, keyring, tenant)
        tables.delete_with(registry, tenant, KeyClass.DATA)
        doomed = row.doomed_era
        tables.tenants(registry).change(tenant, "tenant", lambda now: _undoomed(now, doomed))
    tables.leases(registry).delete(tenant, "data")
    return True


def end_sleep(registry: Registry, keyring: Keyring, tenant: str, *, erase: Erase, now_ms: int) -> bool:
    """
    Once the 120 hours are over: destroy the consents' key, and delete the consents and everybody but the administrators.

    Args:
        erase: Destroys the tenant's consent key, after putting that on record.
        now_ms: Before `sleep_until_ms` nothing is done.

    Returns:
        Whether nothing is left to be done.
    """
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is None or not row.sleep_until_ms or now_ms < row.sleep_until_ms:
        return True
    if not _leased(registry, tenant, "consents", now_ms):
        return False
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is not None and row.sleep_until_ms and now_ms >= row.sleep_until_ms:
        erase()
        _delete_people(registry, tenant)
        keyring.create(tenant)
        tables.tenants(registry).change(tenant, "tenant", lambda now: _over(now, now_ms))
    tables.leases(registry).delete(tenant, "consents")
    return True


def _leased(registry: Registry, tenant: str, what: str, now_ms: int) -> bool:
    row = LeaseRow(token=secrets.token_hex(8))
    return tables.leases(registry).add(tenant, what, row, not_after_ms=now_ms + _LEASE_MS)


def _era(keyring: Keyring, tenant: str) -> str:
    try:
        return keyring.keys(tenant).era
    except KeyDestroyedError:
        return ""


def _remake(registry: Registry, keyring: Keyring, tenant: str) -> None:
    keys = keyring.create(tenant)
    _rename_rooms(registry, tenant, keys)
    users, vault = tables.users(registry), ConsentVault(keyring)
    for user_id, row in list(users.scan_readable(tenant)):
        try:
            person = keys.person(vault.address_of(tenant, user_id, row))
        except (KeyDestroyedError, MalformedRecordError):
            continue  # nobody can read their address any more: their next sign-in writes it anew
        users.change(tenant, user_id, lambda now, person=person: _named(now, person))  # type: ignore[misc]


def _rename_rooms(registry: Registry, tenant: str, keys: TenantKeys) -> None:
    table = tables.rooms(registry)
    for room_id, row in list(table.scan_readable(tenant)):
        fresh = keys.room(row.address)
        if fresh != room_id:
            table.change(tenant, fresh, lambda there, row=row: there or _parted(row))  # type: ignore[misc]
            table.delete(tenant, room_id)


def _parted(row: RoomRow) -> RoomRow:
    return msgspec.structs.replace(row, paired=False)


def _named(row: UserRow | None, person: str) -> UserRow | None:
    """Hashes cannot be made anew: the other addresses are learnt again, from the directory and from invitations."""
    return msgspec.structs.replace(row, person=person, aliases=(), addresses_at_ms=0) if row else None


def _delete_people(registry: Registry, tenant: str) -> None:
    """A grant past its deadline is not shown by a scan: it is deleted by the name that its person gives it."""
    for _, row in tables.users(registry).scan_readable(tenant):
        tables.consents(registry).delete(tenant, row.mailbox)
    tables.delete_with(registry, tenant, KeyClass.CONSENT)


def _undoomed(row: TenantRow | None, doomed: str) -> TenantRow | None:
    if row is None or row.doomed_era != doomed:
        return None
    return msgspec.structs.replace(row, doomed_era="")


def _over(row: TenantRow | None, now_ms: int) -> TenantRow | None:
    if row is None or not row.sleep_until_ms or now_ms < row.sleep_until_ms:
        return None
    if row.integration is IntegrationState.ENABLED:
        return msgspec.structs.replace(row, sleep_until_ms=0)
    return after(row, IntegrationTransition.SLEEP_OVER, now_ms)
