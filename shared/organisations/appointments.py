"""Rights for people who have not signed in yet, by their address; they get them, for good, when they do."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.contracts.rows import AppointmentRow, TenantRow
from shared.crypto.sealing import seal, unseal
from shared.domain.roles import Role
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.organisations.people import appointment_id
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables


def appoint(
    registry: Registry, keyring: Keyring, tenant: str, organisation: TenantRow, address: str, role: Role
) -> str:
    """
    Give `role` to whoever signs in with `address`; what they were appointed to before stays.

    Returns:
        The appointment's id.
    """
    wanted = address.strip().lower()
    row_id = appointment_id(organisation, wanted)
    sealed = seal(keyring.consent_key(tenant), wanted.encode(), purpose=_purpose(tenant, row_id))

    def given(row: AppointmentRow | None) -> AppointmentRow:
        roles = {*(row.roles if row else ()), role.value}
        return AppointmentRow(roles=tuple(sorted(roles)), address_sealed=row.address_sealed if row else sealed)

    tables.appointments(registry).change(tenant, row_id, given)
    return row_id


def dismiss(registry: Registry, tenant: str, row_id: str, role: Role) -> None:
    """Take `role` away again before they came; an appointment to nothing is deleted. Idempotent."""
    table = tables.appointments(registry)

    def taken(row: AppointmentRow | None) -> AppointmentRow | None:
        return msgspec.structs.replace(row, roles=tuple(word for word in row.roles if word != role)) if row else None

    left = table.change(tenant, row_id, taken)
    if left is not None and not left.roles:
        table.delete(tenant, row_id)


def appointed(registry: Registry, keyring: Keyring, tenant: str) -> Iterator[tuple[str, AppointmentRow, str]]:
    """Appointment id, row and address ("" when it cannot be read any more) of everybody who has not come yet."""
    for row_id, row in tables.appointments(registry).scan(tenant):
        if row.roles and row.address_sealed:
            yield row_id, row, _address(keyring, tenant, row_id, row)


def _address(keyring: Keyring, tenant: str, row_id: str, row: AppointmentRow) -> str:
    try:
        return unseal(keyring.consent_key(tenant), row.address_sealed, purpose=_purpose(tenant, row_id)).decode()
    except (KeyDestroyedError, MalformedRecordError):
        return ""


def _purpose(tenant: str, row_id: str) -> str:
    return f"appointment/{tenant}/{row_id}"
