"""The headers of a delivery, as Standard Webhooks 1.0 has them. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from shared.contracts.webhook_rows import SECRET_PREFIX
from shared.domain.instants import SECOND_MS

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"


def delivery_headers(event: str, body: bytes, secrets: Sequence[str], at_ms: int) -> dict[str, str]:
    """
    What identifies and proves a delivery: each secret signs id, seconds and body, newest first.

    Args:
        event: The event's id: the same at every attempt.
        secrets: `whsec_…`, oldest first.
        at_ms: When it is sent: receivers refuse what is older than a few minutes.
    """
    seconds = str(at_ms // SECOND_MS)
    signed = f"{event}.{seconds}.".encode() + body
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": event,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_sign(secret, signed) for secret in reversed(secrets)),
    }


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
