"""The key pair by which push services know this deployment (VAPID, RFC 8292), and the keys that browsers send. P-256 throughout."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIVATE_BYTES = 32
AUTH_BYTES = 16
_CURVE = ec.SECP256R1()


def new_pair() -> tuple[str, str]:
    """A fresh private key and its public one, as settings hold them."""
    private = new_private_key()
    return encode(private.private_numbers().private_value.to_bytes(PRIVATE_BYTES)), _public_text(private)


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """A fresh private key: of a pair, or for one message alone (RFC 8291 §3.1)."""
    return ec.generate_private_key(_CURVE)


def public_key_of(private_key: str) -> str:
    """The public key of a private one. Raises ValueError when that is none; the message repeats nothing of it."""
    raw = decode(private_key)
    if len(raw) != PRIVATE_BYTES:
        message = f"not {PRIVATE_BYTES} bytes in base64url"
        raise ValueError(message)
    return _public_text(ec.derive_private_key(int.from_bytes(raw), _CURVE))


def is_public_key(text: str) -> bool:
    """Whether it is a point of the curve, uncompressed, in base64url."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, decode(text))
    except ValueError:
        return False
    return len(decode(text)) == 2 * PRIVATE_BYTES + 1


def is_auth_secret(text: str) -> bool:
    """Whether it is the secret that a browser shares with us, in base64url (RFC 8291 §3.2)."""
    try:
        return len(decode(text)) == AUTH_BYTES
    except ValueError:
        return False


def encode(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read base64url, with its padding or without. Raises ValueError."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars="-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        message = "not base64url"
        raise ValueError(message) from error


def _public_text(private: ec.EllipticCurvePrivateKey) -> str:
    return encode(private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
