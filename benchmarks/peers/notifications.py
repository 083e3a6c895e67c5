"""What both Python peers do with an item: check its proof, make its record. Runs in the peers' own environment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping

BOOTSTRAP = os.environ["PEER_BOOTSTRAP"]
TOPIC = os.environ["PEER_TOPIC"]
KEY_ID = os.environ["PEER_KEY_ID"]
KEY = base64.urlsafe_b64decode(os.environ["PEER_KEY"])
DELIVERED_S = 2.2
_MAC_BYTES = 18


def mailbox_of(client_state: str) -> bytes | None:
    """The record key of the mailbox that a client state proves; None when it proves none."""
    parts = client_state.split(".")
    if len(parts) != 5 or parts[0] != "1" or parts[1] != KEY_ID or not client_state.isascii():
        return None
    mac = hmac.new(KEY, digestmod=hashlib.sha256)
    for part in ("client-state", "microsoft", *parts[:4], ""):
        raw = part.encode()
        mac.update(len(raw).to_bytes(4, "big"))
        mac.update(raw)
    expected = base64.urlsafe_b64encode(mac.digest()[:_MAC_BYTES]).decode()
    return f"{parts[2]}/{parts[3]}".encode() if hmac.compare_digest(parts[4], expected) else None


def record_of(subscription: str, change: str) -> bytes:
    """The value of an item's record."""
    return json.dumps(
        {
            "provider": "microsoft", "kind": "changed", "subscriptionId": subscription, "keyId": KEY_ID,
            "receivedAtMs": int(time.time() * 1000), "detail": {"changeType": change},
        }
    ).encode()  # fmt: skip


def records_of(items: list[Mapping[str, str]]) -> list[tuple[bytes, bytes]]:
    """Key and value of each item that is proven; the others have no effect."""
    proven = ((mailbox_of(item.get("clientState", "")), item) for item in items)
    return [(key, record_of(item["subscriptionId"], item.get("changeType", ""))) for key, item in proven if key]
