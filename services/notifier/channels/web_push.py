"""
Sends one message to a browser by its push service (RFC 8030): encrypted for that browser (RFC 8291), signed as ours (RFC 8292).

The endpoint comes from a browser, so from anybody: it has to lie on a host of a push service that is known here, and the request
is the guarded one that webhooks are sent by. `http_ece` and `py_vapid` are the two parts of `pywebpush`, which itself would post
through `requests`: that resolves names anew, follows redirects, and knows nothing of private addresses.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import http_ece
from py_vapid import Vapid02

from shared.contracts.browser_rows import PushTarget
from shared.crypto.vapid import decode, new_private_key
from shared.domain.instants import HOUR_MS, SECOND_MS
from shared.domain.push_address import read_push_url
from shared.domain.webhook_address import WebhookAddress, WebhookAddressError
from shared.runtime.http_post import HttpPost, PostResult

WHOLE_S = 10.0
ENCODING = "aes128gcm"
SIGNED_FOR_MS = 12 * HOUR_MS
"""RFC 8292 §2 allows a day; clocks differ."""


@dataclass(frozen=True, slots=True)
class PushMessage:
    """What one browser gets."""

    text: bytes
    """As the service worker reads it; seen by nobody on the way."""
    topic: str
    """32 characters of base64url at most: a newer message of the same topic replaces one that waits (RFC 8030 §5.4)."""
    keep_s: int
    """How long the push service may keep it for a browser that is away."""
    at_ms: int


class WebPush:
    """Thread-safe."""

    def __init__(
        self,
        private_key: str,
        contact: str,
        hosts: Collection[str],
        allowed: Collection[str],
        *,
        whole_s: float = WHOLE_S,
    ) -> None:
        """
        Send nothing yet.

        Args:
            private_key: Ours, in base64url.
            contact: Whom a push service asks about us: `mailto:…` or `https://…`.
            hosts: Of push services; `*.example.com` stands for every name below.
            allowed: Which of them may be private, and spoken to without TLS.
            whole_s: How long one request may take, in seconds.
        """
        self._vapid = Vapid02.from_raw(private_key.encode())
        self._vapid.conf = {"no-strict": True}  # settings have checked the contact
        self._contact = contact
        self._hosts = hosts
        self._allowed = allowed
        self._post = HttpPost(allowed, whole_s=whole_s)

    def send(self, target: PushTarget, message: PushMessage) -> PostResult:
        """Send once. Raises nothing that the push service, its name, the network or a browser's keys can cause."""
        try:
            address = read_push_url(target.endpoint, self._hosts, self._allowed)
        except WebhookAddressError:
            return PostResult(fault="address-refused")
        try:
            body = encrypt(target, message.text)
        except ValueError:
            return PostResult(fault="keys-refused")
        headers = {
            "authorization": self._authorization(address, message.at_ms),
            "content-encoding": ENCODING,
            "content-type": "application/octet-stream",
            "ttl": str(message.keep_s),
            "topic": message.topic,
            "urgency": "high",
        }
        return self._post.send(target.endpoint, headers, body)

    def _authorization(self, address: WebhookAddress, at_ms: int) -> str:
        scheme = "https" if address.tls else "http"
        claims = {
            "aud": f"{scheme}://{address.authority}",
            "exp": (at_ms + SIGNED_FOR_MS) // SECOND_MS,
            "sub": self._contact,
        }
        return str(self._vapid.sign(claims)["Authorization"])


def encrypt(target: PushTarget, text: bytes) -> bytes:
    """The body that this browser alone can read. Raises ValueError for keys that are none."""
    return bytes(
        http_ece.encrypt(
            text,
            private_key=new_private_key(),
            dh=decode(target.p256dh),
            auth_secret=decode(target.auth),
            version=ENCODING,
        )
    )
