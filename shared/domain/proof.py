"""
The proof inside a client state or channel token: who it is for, under which key, and a MAC.

The receiver authenticates and routes every item with this alone, in constant time, without asking any store. Graph takes at
most 128 characters, Google 256. Keys rotate: the ring's first key mints, every key in the ring verifies, so a retired key
stays in the ring until the last subscription made under it has expired (`clientState` cannot be patched).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.identity import Mailbox, Provider
from shared.domain.keys import keyed_hash

VERSION = "1"
MAX_CHARS = 128
_MAC_BYTES = 18  # 144 bits, 24 characters without padding


@dataclass(frozen=True, slots=True)
class HookKeys:
    """The ring of keys that sign client states. `current` names the one that mints."""

    current: str
    ring: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose mailbox a proven notification is about, and under which key the proof was made."""

    mailbox: Mailbox
    key_id: str


def mint(keys: HookKeys, mailbox: Mailbox, provider: Provider, channel_id: str = "") -> str:
    """
    Make a client state (Graph, no channel id) or channel token (Google).

    Raises:
        ValueError: it would be longer than Graph allows, or an id holds a dot.
    """
    parts = (VERSION, keys.current, mailbox.tenant, mailbox.id)
    if any("." in part for part in parts):
        message = f"ids in a client state must not hold dots: {parts}"
        raise ValueError(message)
    token = ".".join((*parts, _mac(keys.ring[keys.current], provider, parts, channel_id)))
    if len(token) > MAX_CHARS:
        message = f"client state of {len(token)} characters; Graph takes {MAX_CHARS}: use shorter ids"
        raise ValueError(message)
    return token


def verify(keys: HookKeys, token: str, provider: Provider, channel_id: str = "") -> Origin | None:
    """Read a client state back; None when it was not made by us for this provider and channel."""
    if len(token) > MAX_CHARS or not token.isascii():
        return None
    match token.split("."):
        case [version, key_id, tenant, mailbox, mac] if version == VERSION and tenant and mailbox:
            key = keys.ring.get(key_id)
            if key is None:
                return None
            expected = _mac(key, provider, (version, key_id, tenant, mailbox), channel_id)
            return Origin(Mailbox(tenant, mailbox), key_id) if hmac.compare_digest(mac, expected) else None
    return None


def _mac(key: bytes, provider: Provider, parts: tuple[str, ...], channel_id: str) -> str:
    digest = keyed_hash(key, "client-state", provider, *parts, channel_id)
    return base64.urlsafe_b64encode(digest[:_MAC_BYTES]).decode()
