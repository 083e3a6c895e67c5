"""The master key ring from the environment, and the keys derived from it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.crypto.sealing import seal, unseal
from shared.domain.proof import HookKeys
from shared.errors import ConfigurationError, MalformedRecordError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """Key id → 32 bytes; `current` wraps and signs, the others are accepted until nothing depends on them."""

    current: str
    ring: Mapping[str, bytes]

    def hook_keys(self) -> HookKeys:
        """The keys that sign client states, one derived from each master key."""
        return HookKeys(self.current, {key_id: _derive(key, "hook") for key_id, key in self.ring.items()})

    def wrapped(self, key: bytes, *, purpose: str) -> bytes:
        """A tenant's key, sealed under the current master key."""
        return seal(self._wrapping_key(self.current), key, purpose=purpose)

    def unwrapped(self, key_id: str, sealed: bytes, *, purpose: str) -> bytes:
        """
        A tenant's key that was wrapped under master key `key_id`.

        Raises:
            ConfigurationError: the ring does not hold it, or another key under its name. Never MalformedRecordError: with
                the wrong ring every record would look damaged, and be put aside or deleted.
        """
        if key_id not in self.ring:
            message = (
                f"keys are wrapped by master key {key_id!r}, which ROOMSYNC_MASTER_KEY does not hold: put it back behind"
                " the current one until `roomsync keys rewrap` has run"
            )
            raise ConfigurationError(message)
        try:
            return unseal(self._wrapping_key(key_id), sealed, purpose=purpose)
        except MalformedRecordError:
            message = (
                f"the {purpose} does not open with the master key {key_id!r} of ROOMSYNC_MASTER_KEY: another key of that name"
                " wrapped it (another deployment's?): put that one back"
            )
            raise ConfigurationError(message) from None

    def archive_key(self, key_id: str) -> bytes:
        """The key that seals backups and exports made under master key `key_id`. Raises KeyError for one not in the ring."""
        return _derive(self.ring[key_id], "archive")

    def row_keys(self) -> Mapping[str, bytes]:
        """The keys that bind the registry's rows to their places, one derived from each master key."""
        return {key_id: _derive(key, "rows") for key_id, key in self.ring.items()}

    def session_key(self) -> bytes:
        """The key that signs cookies and names sessions."""
        return _derive(self.ring[self.current], "session")

    def link_keys(self) -> list[bytes]:
        """The keys that sign links in messages, one derived from each master key; the current one's is the last."""
        older = [key_id for key_id in self.ring if key_id != self.current]
        return [_derive(self.ring[key_id], "link") for key_id in (*reversed(older), self.current)]

    def _wrapping_key(self, key_id: str) -> bytes:
        return _derive(self.ring[key_id], "wrap")


def parse(text: str) -> MasterKeys:
    """
    Read `ROOMSYNC_MASTER_KEY`: `id:key[,id:key…]`, newest first, each key 32 bytes in URL-safe base64; the id may be left out.

    Raises:
        ConfigurationError: says what is wrong, never the key.
    """
    ring: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = entry.rpartition(":")
        try:
            key = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            message = (
                "ROOMSYNC_MASTER_KEY: each key must be 32 bytes in URL-safe base64; make one with `roomsync keys new`"
            )
            raise ConfigurationError(message)
        ring[key_id or f"k{hashlib.sha256(key).hexdigest()[:4]}"] = key
    if not ring:
        message = "ROOMSYNC_MASTER_KEY is empty; make one with `roomsync keys new`"
        raise ConfigurationError(message)
    return MasterKeys(next(iter(ring)), ring)


def require_master_keys(keys: MasterKeys | None) -> MasterKeys:
    """Return the ring, to open tenants' keys with. Raises ConfigurationError in a process that was started without it."""
    if keys is None:
        message = "this process was started without the master key, on purpose: it cannot open the keys of any tenant"
        raise ConfigurationError(message)
    return keys


def new_key() -> str:
    """A fresh `id:key` entry for ROOMSYNC_MASTER_KEY."""
    key = secrets.token_bytes(KEY_BYTES)
    return f"k{hashlib.sha256(key).hexdigest()[:4]}:{base64.urlsafe_b64encode(key).decode().rstrip('=')}"


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"roomsync/{purpose}".encode()).derive(key)
