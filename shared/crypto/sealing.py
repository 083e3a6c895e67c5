"""AES-256-GCM with associated data: what is sealed for one purpose does not open for another."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import MalformedRecordError

_NONCE_BYTES = 12
SEAL_BYTES = _NONCE_BYTES + 16
"""How much longer than the plain bytes sealed ones are: nonce and tag."""


def seal(key: bytes, plain: bytes, *, purpose: str) -> bytes:
    """
    Encrypt `plain` under a 32-byte `key`.

    Args:
        purpose: What it is and whose (`"observation/t-abc"`); it must be given again to open.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode())


def unseal(key: bytes, sealed: bytes, *, purpose: str) -> bytes:
    """Decrypt. Raises MalformedRecordError when key, purpose or bytes are not those of `seal`."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError) as error:
        message = f"sealed bytes for {purpose!r} do not open: another key, another purpose, or damage"
        raise MalformedRecordError(message) from error
