"""What people and their mailboxes are called: ids that stay the same while an organisation goes off and on again."""

from __future__ import annotations

from shared.contracts.rows import TenantRow
from shared.domain.keys import pseudonym

_SHOWN_WHOLE = 13


def user_id(tenant: TenantRow, provider: str, subject: str) -> str:
    """The person whom `provider` calls `subject`."""
    return f"u-{pseudonym(tenant.ids_key, 'user', provider, subject)}"


def mailbox_id(tenant: TenantRow, provider: str, subject: str) -> str:
    """That person's own calendar."""
    return f"m-{pseudonym(tenant.ids_key, 'mailbox', provider, subject)}"


def appointment_id(tenant: TenantRow, address: str) -> str:
    """Somebody who has not signed in yet, by their address."""
    return f"a-{pseudonym(tenant.ids_key, 'appointment', address.lower())}"


def account_appointment_id(tenant: TenantRow, provider: str, subject: str) -> str:
    """Somebody who has not signed in yet, by the id that `provider` gives their account."""
    return f"a-{pseudonym(tenant.ids_key, 'account-appointment', provider, subject)}"


def short_account(account: str) -> str:
    """A directory's account id, short enough to be compared by eye: `1f0c3a52…9b7e`."""
    return account if len(account) <= _SHOWN_WHOLE else f"{account[:8]}…{account[-4:]}"
