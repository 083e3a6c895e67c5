"""Switching an organisation on: its row, its keys, and which of the provider's organisations it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import partial

import msgspec

from shared.contracts.rows import DirectoryRow, IntegrationState, RoomProof, RoomRow, TenantRow
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry.rows import Rows
from shared.registry.tables import directories, rooms, tenants

NOBODY = "-"
"""The pseudo-tenant of rows that say which tenant a directory is."""
_ID_BYTES = 8
_IDS_KEY_BYTES = 32


def tenant_of(registry: Registry, provider: str, directory: str) -> str | None:
    """The tenant that `directory` (Entra tenant id, Google hosted domain) is; None when it is nobody's, or is being given up."""
    row = directories(registry).get(NOBODY, f"{provider}:{directory}")
    return row.tenant if row and not row.leaving_at_ms else None


def enrol(registry: Registry, keyring: Keyring, *, provider: str, directory: str, name: str) -> str:
    """
    Enable the integration for an organisation without a test flow; doing it again changes nothing but the name.

    Returns:
        The tenant's id.
    """
    tenant = introduce(registry, keyring, provider=provider, directory=directory, name=name)
    tenants(registry).change(
        tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, name=name, integration=IntegrationState.ENABLED) if row else None,
    )
    return tenant


def introduce(registry: Registry, keyring: Keyring, *, provider: str, directory: str, name: str) -> str:
    """
    Make an organisation known, with the integration off; one that is known stays as it is.

    Returns:
        The tenant's id.
    """
    tenant = _claim(registry, provider, directory, f"t-{secrets.token_hex(_ID_BYTES)}")
    keyring.create(tenant)
    fresh = TenantRow(
        name=name,
        provider=provider,
        directory=directory,
        integration=IntegrationState.OFF,
        ids_key=secrets.token_bytes(_IDS_KEY_BYTES),
    )
    tenants(registry).add(tenant, "tenant", fresh)
    return tenant


def join(registry: Registry, tenant: str, *, provider: str, directory: str) -> bool:
    """
    Make a provider's directory an organisation's own: its people belong to the tenant from then on.

    The caller is the operator, or holds proof from the directory's own administrators; a member's sign-in is none.

    Returns:
        False: it is another tenant's, and stays so. Of two that join it at once, one gets it.
    """
    return _claim(registry, provider, directory, tenant) == tenant


def begin_leaving(registry: Registry, tenant: str, *, provider: str, directory: str, now_ms: int) -> bool:
    """
    Let nobody in from an organisation's directory any more; it stays the organisation's until `finish_leaving`. Idempotent.

    Returns:
        False: it is not the tenant's.
    """

    def leaving(known: DirectoryRow | None) -> DirectoryRow | None:
        if known is None or known.tenant != tenant:
            return None
        return msgspec.structs.replace(known, leaving_at_ms=known.leaving_at_ms or now_ms)

    found = _written(registry).change(NOBODY, f"{provider}:{directory}", leaving)
    return found is not None and found.tenant == tenant


def finish_leaving(registry: Registry, tenant: str, *, provider: str, directory: str) -> None:
    """Make a directory nobody's that its organisation has given up; not if it has been joined again meanwhile. Idempotent."""
    known = directories(registry).get(NOBODY, f"{provider}:{directory}")
    if known is not None and known.tenant == tenant and known.leaving_at_ms:
        _written(registry).delete(NOBODY, f"{provider}:{directory}")


def _claim(registry: Registry, provider: str, directory: str, tenant: str) -> str:
    """Whose the directory is: the tenant's, unless it was somebody's before. Only giving it up ends that."""
    row = DirectoryRow(tenant=tenant)

    def claimed(known: DirectoryRow | None) -> DirectoryRow:
        return row if known is None or known.tenant == tenant else known

    return (_written(registry).change(NOBODY, f"{provider}:{directory}", claimed) or row).tenant


def _written(registry: Registry) -> Rows[DirectoryRow]:
    """The relation, to be written: by nothing outside this module, beside removing an organisation and a restore."""
    return Rows(registry, directories.name, directories.row)


def enter_rooms(registry: Registry, keyring: Keyring, tenant: str, entered: Iterable[RoomRow]) -> int:
    """
    Write rooms into the tenant's list, by address, on the word of whoever operates the deployment; returns how many.

    Each counts as a room from then on. What the directory has said of a room that is known already stays, as its word.
    """
    keys = keyring.keys(tenant)
    table = rooms(registry)
    count = 0
    for row in entered:
        address = row.address.lower()
        table.change(tenant, keys.room(address), partial(_entered, msgspec.structs.replace(row, address=address)))
        count += 1
    return count


def _entered(row: RoomRow, known: RoomRow | None) -> RoomRow:
    if known is None or known.resource != RoomProof.DIRECTORY:
        return msgspec.structs.replace(row, resource=RoomProof.OPERATOR)
    return msgspec.structs.replace(
        row,
        address=known.address,
        resource=known.resource,
        directory_id=known.directory_id,
        aliases=known.aliases,
        equipment=row.equipment or known.equipment,
        accessible=known.accessible if row.accessible is None else row.accessible,
        section=known.section,
        description=known.description,
    )
