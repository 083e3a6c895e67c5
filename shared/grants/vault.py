"""Tokens and addresses under the tenant's consent key: sealed for one mailbox or person, and opened for no other."""

from __future__ import annotations

from enum import StrEnum

from shared.contracts.rows import UserRow
from shared.crypto.sealing import seal, unseal
from shared.domain.identity import Mailbox
from shared.errors import MalformedRecordError
from shared.ports.keyring import Keyring


class TokenKind(StrEnum):
    """What a sealed token is for: one kind is never opened as the other."""

    ACCESS = "access"
    REFRESH = "refresh"


class ConsentVault:
    """Every method raises KeyDestroyedError when the consent key is gone, StoreUnavailableError when it cannot be reached."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, mailbox: Mailbox, token: str, kind: TokenKind) -> bytes:
        """A token of the mailbox, sealed for its kind alone; an empty one stays empty."""
        if not token:
            return b""
        return seal(self._keyring.consent_key(mailbox.tenant), token.encode(), purpose=_purpose(mailbox, kind))

    def unseal(self, mailbox: Mailbox, sealed: bytes, kind: TokenKind) -> str:
        """
        The token again; one that version 0.1.0 sealed was sealed for its mailbox, whatever its kind.

        Raises:
            MalformedRecordError: it was sealed for another mailbox, or as a token of the other kind.
        """
        key = self._keyring.consent_key(mailbox.tenant)
        try:
            return unseal(key, sealed, purpose=_purpose(mailbox, kind)).decode()
        except MalformedRecordError:
            return unseal(key, sealed, purpose=f"consent/{mailbox.tenant}/{mailbox.id}").decode()

    def address_of(self, tenant: str, user_id: str, user: UserRow) -> str:
        """The person's address."""
        purpose = f"user/{tenant}/{user_id}"
        return unseal(self._keyring.consent_key(tenant), user.address_sealed, purpose=purpose).decode()

    def seal_mail(self, tenant: str, user_id: str, address: str) -> bytes:
        """The address that mail reaches a person under, sealed for them alone; an empty one stays empty."""
        if not address:
            return b""
        return seal(self._keyring.consent_key(tenant), address.encode(), purpose=_mail_purpose(tenant, user_id))

    def mail_address_of(self, tenant: str, user_id: str, user: UserRow) -> str:
        """Where mail reaches the person: as their provider's directory says, else the address that they sign in with."""
        if not user.mail_sealed:
            return self.address_of(tenant, user_id, user)
        purpose = _mail_purpose(tenant, user_id)
        return unseal(self._keyring.consent_key(tenant), user.mail_sealed, purpose=purpose).decode()


def _mail_purpose(tenant: str, user_id: str) -> str:
    return f"user-mail/{tenant}/{user_id}"


def _purpose(mailbox: Mailbox, kind: TokenKind) -> str:
    return f"{kind}-token/{mailbox.tenant}/{mailbox.id}"
