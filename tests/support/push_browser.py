"""A browser as a push service and its owner know it: it makes its keys, and reads what was encrypted for it and signed by us."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from shared.contracts.browser_rows import PushTarget
from shared.crypto.vapid import decode, encode, new_pair
from tests.support.webhook_receiver import Got

PRIVATE_KEY, PUBLIC_KEY = new_pair()
CONTACT = "mailto:it@contoso.test"
HOSTS = frozenset({"127.0.0.1"})


@dataclass(frozen=True)
class PushBrowser:
    """One browser that has subscribed at the push service of the tests."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"sixteen-byte-key"

    @property
    def target(self) -> PushTarget:
        """What its `PushSubscription` says."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return PushTarget(endpoint=self.endpoint, p256dh=encode(point), auth=encode(self.auth))

    def read(self, got: Got) -> dict[str, Any]:
        """What our service worker is given of a message that arrived; fails unless it is for this browser and signed as ours."""
        assert got.headers["content-encoding"] == "aes128gcm"
        assert Vapid02.verify(got.headers["authorization"])
        assert got.headers["authorization"].endswith(f"k={PUBLIC_KEY}")
        text = http_ece.decrypt(got.raw, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        found: dict[str, Any] = json.loads(text)
        return found


def claims_of(got: Got) -> dict[str, Any]:
    """What is signed: audience, end and contact."""
    token = got.headers["authorization"].partition("t=")[2].partition(",")[0]
    found: dict[str, Any] = json.loads(decode(token.split(".")[1]))
    return found
