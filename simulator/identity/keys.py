"""One RSA key that signs id_tokens, and its public half as a JSON Web Key Set."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_BITS = 2048


class SigningKey:
    """An RSA key made when the simulator starts; its id is the RFC 7638 thumbprint."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        numbers = self._private.public_key().public_numbers()
        self._public = {"e": _integer(numbers.e), "kty": "RSA", "n": _integer(numbers.n)}
        self.key_id = encode(hashlib.sha256(_compact(self._public)).digest())

    def jwks(self) -> dict[str, Any]:
        """The key set as published."""
        return {"keys": [{**self._public, "use": "sig", "alg": "RS256", "kid": self.key_id}]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact RS256 JSON Web Token over these claims."""
        header = {"alg": "RS256", "kid": self.key_id, "typ": "JWT"}
        signed = f"{encode(_compact(header))}.{encode(_compact(claims))}"
        signature = self._private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encode(signature)}"


def encode(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """The S256 challenge that belongs to a PKCE verifier (RFC 7636)."""
    return encode(hashlib.sha256(verifier.encode()).digest())


def _integer(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _compact(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
