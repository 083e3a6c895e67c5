"""Tokens and addresses under the tenant's consent key: sealed for one mailbox or person, and opened for no other."""

from __future__ import annotations

from shared.contracts.rows import UserRow
from shared.crypto.sealing import seal, unseal
from shared.domain.identity import Mailbox
from shared.ports.keyring import Keyring


class ConsentVault:
    """Every method raises KeyDestroyedError when the consent key is gone, StoreUnavailableError when it cannot be reached."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, mailbox: Mailbox, token: str) -> bytes:
        """A token of the mailbox, sealed; an empty one stays empty."""
        if not token:
            return b""
        return seal(self._keyring.consent_key(mailbox.tenant), token.encode(), purpose=_purpose(mailbox))

    def unseal(self, mailbox: Mailbox, sealed: bytes) -> str:
        """The token again. Raises MalformedRecordError when it was sealed for another mailbox."""
        return unseal(self._keyring.consent_key(mailbox.tenant), sealed, purpose=_purpose(mailbox)).decode()

    def address_of(self, tenant: str, user_id: str, user: UserRow) -> str:
        """The person's address."""
        purpose = f"user/{tenant}/{user_id}"
        return unseal(self._keyring.consent_key(tenant), user.address_sealed, purpose=purpose).decode()


def _purpose(mailbox: Mailbox) -> str:
    return f"consent/{mailbox.tenant}/{mailbox.id}"
