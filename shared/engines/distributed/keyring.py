"""The keyring on Redis, beside the registry: three wrapped keys per tenant; destroying one rewrites the server's file."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Any

import redis

from shared.crypto.master import KEY_BYTES, MasterKeys
from shared.domain.keys import TenantKeys
from shared.engines.distributed.stores import connect, translate_errors
from shared.errors import KeyDestroyedError, StoreUnavailableError
from shared.ports.holdings import WrappedKey, another_key

_DATA, _HASH, _CONSENT = "data", "hash", "consent"
_KINDS = (_DATA, _HASH, _CONSENT)
_STORE = "keyring"
_REWRITE_S = 30.0
_REWRITE_POLL_S = 0.02
# Replaces a wrapping only where it still stands: a key destroyed meanwhile must not come back.
_REPLACE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""


class RedisKeyring:
    """See `shared.ports.keyring.Keyring`. Nothing is cached: a key destroyed by one process is gone for all."""

    def __init__(self, url: str, *, prefix: str, master: MasterKeys, refuse_unbound: bool = False) -> None:
        """
        Read and write the keys on a server.

        Args:
            url: Of the registry's Redis.
            prefix: Before its keys.
            master: Wraps new keys with its current key, and opens those under any of its ring.
            refuse_unbound: Whether they open no records that are bound to no record key.
        """
        self._refuse_unbound = refuse_unbound
        self._redis: Any = connect(url)  # its types allow for str everywhere; it gives bytes
        self._hash = f"{prefix}keyring"
        self._master = master
        self._replace = self._redis.register_script(_REPLACE)

    def keys(self, tenant: str) -> TenantKeys:
        """The tenant's keys. Raises KeyDestroyedError when data or hash key are gone."""
        found = self._found(tenant)
        if not {_DATA, _HASH} <= found.keys():
            raise _destroyed(tenant)
        return TenantKeys(tenant, found[_DATA], found[_HASH], found.get(_CONSENT), refuse_unbound=self._refuse_unbound)

    def consent_key(self, tenant: str) -> bytes:
        """What seals the tenant's grants. Raises KeyDestroyedError."""
        found = self._found(tenant)
        if _CONSENT not in found:
            raise _destroyed(tenant)
        return found[_CONSENT]

    def create(self, tenant: str) -> TenantKeys:
        """Make whichever keys are missing; those that stand, or that another process made first, are kept."""
        missing = [kind for kind in _KINDS if kind not in self._found(tenant)]
        with translate_errors(_STORE):
            for kind in missing:
                self._redis.hsetnx(
                    self._hash, _field(tenant, kind), self._wrap(tenant, kind, secrets.token_bytes(KEY_BYTES))
                )
        return self.keys(tenant)

    def destroy_data(self, tenant: str) -> None:
        """Destroy data and hash key. Idempotent; repeat it after StoreUnavailableError."""
        self._destroy(tenant, _DATA, _HASH)

    def destroy_consent(self, tenant: str) -> None:
        """Destroy the consent key. Idempotent; repeat it after StoreUnavailableError."""
        self._destroy(tenant, _CONSENT)

    def rewrap(self) -> int:
        """Wrap everything under the current master key; returns how many keys were under an older one."""
        count = 0
        with translate_errors(_STORE):
            for field, stored in self._redis.hgetall(self._hash).items():
                tenant, _, kind = field.decode().rpartition("/")
                if _master_of(stored) != self._master.current:
                    fresh = self._wrap(tenant, kind, self._unwrap(tenant, kind, stored))
                    count += int(self._replace(keys=[self._hash], args=[field, stored, fresh]))
        self._rewrite_file()
        return count

    def wrapped(self) -> Sequence[WrappedKey]:
        """All keys of all tenants, in order, as they are wrapped."""
        with translate_errors(_STORE):
            stored = self._redis.hgetall(self._hash)
        places = ((field.decode().rpartition("/"), value) for field, value in sorted(stored.items()))
        return [
            WrappedKey(tenant, kind, _master_of(value), value.partition(b"\n")[2])
            for (tenant, _, kind), value in places
        ]

    def adopt(self, keys: Iterable[WrappedKey]) -> int:
        """Take over another keyring's keys where none stands; returns how many. Raises, having changed nothing: see the port."""
        fresh = {}
        for key in keys:
            stored = key.master.encode() + b"\n" + key.wrapped
            opened = self._unwrap(key.tenant, key.kind, stored)
            if self._found(key.tenant).get(key.kind, opened) != opened:
                raise another_key(key)
            fresh[_field(key.tenant, key.kind)] = self._wrap(key.tenant, key.kind, opened)
        with translate_errors(_STORE):
            return sum(int(self._redis.hsetnx(self._hash, field, value)) for field, value in fresh.items())

    def close(self) -> None:
        """Release connections."""
        self._redis.close()

    def _destroy(self, tenant: str, *kinds: str) -> None:
        with translate_errors(_STORE):
            self._redis.hdel(self._hash, *(_field(tenant, kind) for kind in kinds))
        self._rewrite_file()

    def _found(self, tenant: str) -> dict[str, bytes]:
        with translate_errors(_STORE):
            stored = self._redis.hmget(self._hash, [_field(tenant, kind) for kind in _KINDS])
        return {kind: self._unwrap(tenant, kind, one) for kind, one in zip(_KINDS, stored, strict=True) if one}

    def _wrap(self, tenant: str, kind: str, key: bytes) -> bytes:
        return self._master.current.encode() + b"\n" + self._master.wrapped(key, purpose=_purpose(tenant, kind))

    def _unwrap(self, tenant: str, kind: str, stored: bytes) -> bytes:
        wrapped = stored.partition(b"\n")[2]
        return self._master.unwrapped(_master_of(stored), wrapped, purpose=_purpose(tenant, kind))

    def _rewrite_file(self) -> None:
        """
        Have the append-only file written anew, without what was deleted; return when the old one is gone.

        A rewrite that is under way began before the deletion and would keep it: then another one follows.
        """
        deadline = time.monotonic() + _REWRITE_S
        with translate_errors(_STORE):
            if not self._redis.info("persistence").get("aof_enabled"):
                return
            while not self._rewrite_begun():
                _wait(deadline)
            while self._rewriting():
                _wait(deadline)
            status = self._redis.info("persistence").get("aof_last_bgrewrite_status")
        if status != "ok":
            message = "the key is deleted, but Redis could not rewrite its file; look at its log and disk, then repeat"
            raise StoreUnavailableError(message)

    def _rewrite_begun(self) -> bool:
        if self._rewriting():
            return False
        try:
            self._redis.bgrewriteaof()
        except redis.ResponseError:  # one began between the question and the command
            return False
        return True

    def _rewriting(self) -> bool:
        found = self._redis.info("persistence")
        return bool(found.get("aof_rewrite_in_progress") or found.get("aof_rewrite_scheduled"))


def _wait(deadline: float) -> None:
    if time.monotonic() > deadline:
        message = f"the key is deleted, but Redis did not finish rewriting its file in {_REWRITE_S:.0f} s; repeat it"
        raise StoreUnavailableError(message)
    time.sleep(_REWRITE_POLL_S)


def _master_of(stored: bytes) -> str:
    return stored.partition(b"\n")[0].decode()


def _field(tenant: str, kind: str) -> str:
    return f"{tenant}/{kind}"


def _purpose(tenant: str, kind: str) -> str:
    return f"{kind}-key/{tenant}"


def _destroyed(tenant: str) -> KeyDestroyedError:
    return KeyDestroyedError(f"{tenant} has no such key (any more): what it sealed cannot be read, on purpose")
