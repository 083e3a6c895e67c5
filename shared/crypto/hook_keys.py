"""The keys that prove notifications, as text: all that the receiver, which the internet reaches, is given."""

from __future__ import annotations

import base64
import binascii

from shared.domain.proof import HookKeys
from shared.errors import ConfigurationError

KEY_BYTES = 32


def print_hook_keys(keys: HookKeys) -> str:
    """`id:key[,id:key…]`, the one that signs first: the value of ROOMSYNC_HOOK_KEYS."""
    ordered = [keys.current, *(key_id for key_id in keys.ring if key_id != keys.current)]
    return ",".join(
        f"{key_id}:{base64.urlsafe_b64encode(keys.ring[key_id]).decode().rstrip('=')}" for key_id in ordered
    )


def parse(text: str) -> HookKeys:
    """
    Read what `print_hook_keys` wrote.

    Raises:
        ConfigurationError: says what is wrong, never a key.
    """
    ring: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except (binascii.Error, ValueError):
            key = b""
        if not key_id or len(key) != KEY_BYTES:
            message = "ROOMSYNC_HOOK_KEYS: each entry must be as `roomsync keys hooks` prints it: print them again"
            raise ConfigurationError(message)
        ring[key_id] = key
    if not ring:
        message = "ROOMSYNC_HOOK_KEYS is empty; `roomsync keys hooks` prints them, where the master key is"
        raise ConfigurationError(message)
    return HookKeys(next(iter(ring)), ring)
