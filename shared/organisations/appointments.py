"""
Rights for people who have not signed in yet.

Appointed by an account id, they have them with their next sign-in. Appointed by an address, an account that signs in with it
is a candidate first (`candidates.py`): an address says who was meant, and no provider promises that it stays the same person's.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.contracts.rows import AppointmentRow, TenantRow, UserRow
from shared.crypto.sealing import seal, unseal
from shared.domain.identity import Provider
from shared.domain.roles import Role
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.organisations.people import account_appointment_id, appointment_id, user_id
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables


def appoint(
    registry: Registry, keyring: Keyring, tenant: str, organisation: TenantRow, address: str, role: Role
) -> str:
    """
    Mean `role` for whoever is confirmed to have `address`; what was meant for them before stays, who was refused may come again.

    Returns:
        The appointment's id.
    """
    wanted = address.strip().lower()
    row_id = appointment_id(organisation, wanted)
    _mean(registry, keyring, tenant, row_id, wanted, role)
    return row_id


def appoint_account(
    registry: Registry,
    keyring: Keyring,
    tenant: str,
    organisation: TenantRow,
    provider: Provider,
    account: str,
    role: Role,
) -> str:
    """
    Give `role` to the account that `provider` calls `account` (Entra's object id, Google's `sub`), now or when it signs in.

    Returns:
        The id of the person, or of the appointment of one who has not come yet.
    """
    user = user_id(organisation, provider, account)
    if grant_role(registry, tenant, user, role):
        return user
    row_id = account_appointment_id(organisation, provider, account)
    _mean(registry, keyring, tenant, row_id, f"{provider} account {account}", role)
    return row_id


def grant_role(registry: Registry, tenant: str, user: str, *roles: str) -> bool:
    """Give `roles` to a person who has signed in; returns whether there is one of that id. Idempotent."""

    def granted(row: UserRow | None) -> UserRow | None:
        return msgspec.structs.replace(row, roles=tuple(sorted({*row.roles, *map(str, roles)}))) if row else None

    return tables.users(registry).change(tenant, user, granted) is not None


def dismiss(registry: Registry, tenant: str, row_id: str, role: Role) -> None:
    """Take `role` away again before they came; an appointment to nothing is deleted. Idempotent."""
    table = tables.appointments(registry)

    def taken(row: AppointmentRow | None) -> AppointmentRow | None:
        return msgspec.structs.replace(row, roles=tuple(word for word in row.roles if word != role)) if row else None

    left = table.change(tenant, row_id, taken)
    if left is not None and not left.roles:
        table.delete(tenant, row_id)


def list_appointed(registry: Registry, keyring: Keyring, tenant: str) -> Iterator[tuple[str, AppointmentRow, str]]:
    """Appointment id, row and address or account ("" when unreadable) of everybody who has not come or is not confirmed yet."""
    for row_id, row in tables.appointments(registry).scan(tenant):
        if row.roles and row.address_sealed:
            yield row_id, row, _address(keyring, tenant, row_id, row)


def _mean(registry: Registry, keyring: Keyring, tenant: str, row_id: str, whom: str, role: Role) -> None:
    sealed = seal(keyring.consent_key(tenant), whom.encode(), purpose=_purpose(tenant, row_id))

    def given(row: AppointmentRow | None) -> AppointmentRow:
        before = row or AppointmentRow(roles=())
        roles = tuple(sorted({*before.roles, role.value}))
        return msgspec.structs.replace(
            before, roles=roles, address_sealed=before.address_sealed or sealed, confirmed=(), refused=()
        )

    tables.appointments(registry).change(tenant, row_id, given)


def _address(keyring: Keyring, tenant: str, row_id: str, row: AppointmentRow) -> str:
    try:
        return unseal(keyring.consent_key(tenant), row.address_sealed, purpose=_purpose(tenant, row_id)).decode()
    except (KeyDestroyedError, MalformedRecordError):
        return ""


def _purpose(tenant: str, row_id: str) -> str:
    return f"appointment/{tenant}/{row_id}"
