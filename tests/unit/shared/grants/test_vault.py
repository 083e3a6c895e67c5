"""Tokens are sealed for their mailbox and their kind; those of version 0.1.0 still open."""

from __future__ import annotations

from typing import Any

import pytest

from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox
from shared.errors import MalformedRecordError
from shared.grants.vault import ConsentVault, TokenKind

MAILBOX = Mailbox("t-one", "mb-ana")
KINDS = list(TokenKind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_opens_as_its_own_kind_alone(house: Any, kind: TokenKind) -> None:
    vault = ConsentVault(house.keyring)
    sealed = vault.seal(MAILBOX, "token", kind)
    assert vault.unseal(MAILBOX, sealed, kind) == "token"
    for other in set(KINDS) - {kind}:
        with pytest.raises(MalformedRecordError):
            vault.unseal(MAILBOX, sealed, other)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_opens_for_no_other_mailbox(house: Any, kind: TokenKind) -> None:
    vault = ConsentVault(house.keyring)
    with pytest.raises(MalformedRecordError):
        vault.unseal(Mailbox("t-one", "mb-bo"), vault.seal(MAILBOX, "token", kind), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_the_first_version_sealed_still_opens(house: Any, kind: TokenKind) -> None:
    old = seal(house.keyring.consent_key("t-one"), b"token", purpose="consent/t-one/mb-ana")
    assert ConsentVault(house.keyring).unseal(MAILBOX, old, kind) == "token"


def test_no_token_stays_no_token(house: Any) -> None:
    assert ConsentVault(house.keyring).seal(MAILBOX, "", TokenKind.REFRESH) == b""
