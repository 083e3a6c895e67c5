"""The keyring beside the registry: three wrapped keys per tenant; destroying one wipes it from the file."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Sequence

from shared.crypto.master import KEY_BYTES, MasterKeys
from shared.domain.keys import TenantKeys
from shared.engines.embedded.database import Database
from shared.errors import KeyDestroyedError
from shared.ports.holdings import WrappedKey, another_key

SCHEMA = """
CREATE TABLE IF NOT EXISTS tenant_keys (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, master TEXT NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (tenant, kind))
"""
_DATA, _HASH, _CONSENT = "data", "hash", "consent"
_QUERY = "SELECT kind, master, wrapped FROM tenant_keys WHERE tenant = ?"


class EmbeddedKeyring:
    """See `shared.ports.keyring.Keyring`. Nothing is cached: a key destroyed by one process is gone for all."""

    def __init__(self, database: Database, *, master: MasterKeys, refuse_unbound: bool = False) -> None:
        """
        Read and write the keys of `database`.

        Args:
            database: Where they stand, wrapped.
            master: Wraps new keys with its current key, and opens those under any of its ring.
            refuse_unbound: Whether they open no records that are bound to no record key.
        """
        self._database = database
        self._master = master
        self._refuse_unbound = refuse_unbound

    def keys(self, tenant: str) -> TenantKeys:
        """The tenant's keys. Raises KeyDestroyedError when data or hash key are gone."""
        return self._keys(tenant, self._unwrapped(tenant, self._database.read(_QUERY, (tenant,))))

    def consent_key(self, tenant: str) -> bytes:
        """What seals the tenant's grants. Raises KeyDestroyedError."""
        found = self._unwrapped(tenant, self._database.read(f"{_QUERY} AND kind = ?", (tenant, _CONSENT)))
        if _CONSENT not in found:
            raise _destroyed(tenant)
        return found[_CONSENT]

    def create(self, tenant: str) -> TenantKeys:
        """Make whichever keys are missing; those that stand are kept."""
        with self._database.write() as connection:
            found = self._unwrapped(tenant, connection.execute(_QUERY, (tenant,)).fetchall())
            for kind in {_DATA, _HASH, _CONSENT} - found.keys():
                found[kind] = secrets.token_bytes(KEY_BYTES)
                self._store(connection, tenant, kind, found[kind])
        return self._keys(tenant, found)

    def destroy_data(self, tenant: str) -> None:
        """Destroy data and hash key. Idempotent; repeat it after StoreUnavailableError."""
        self._destroy(tenant, _DATA, _HASH)

    def destroy_consent(self, tenant: str) -> None:
        """Destroy the consent key. Idempotent; repeat it after StoreUnavailableError."""
        self._destroy(tenant, _CONSENT)

    def rewrap(self) -> int:
        """Wrap everything under the current master key; returns how many keys were under an older one."""
        with self._database.write() as connection:
            old = connection.execute(
                "SELECT tenant, kind, master, wrapped FROM tenant_keys WHERE master != ?", (self._master.current,)
            ).fetchall()
            for tenant, kind, master, wrapped in old:
                self._store(connection, tenant, kind, self._unwrap(tenant, kind, master, wrapped))
        self._database.forget()
        return len(old)

    def wrapped(self) -> Sequence[WrappedKey]:
        """All keys of all tenants, in order, as they are wrapped."""
        rows = self._database.read("SELECT tenant, kind, master, wrapped FROM tenant_keys ORDER BY tenant, kind")
        return [WrappedKey(*row) for row in rows]

    def adopt(self, keys: Iterable[WrappedKey]) -> int:
        """Take over another keyring's keys where none stands; returns how many. Raises, having changed nothing: see the port."""
        count = 0
        with self._database.write() as connection:
            for key in keys:
                opened = self._unwrap(key.tenant, key.kind, key.master, key.wrapped)
                standing = self._unwrapped(key.tenant, connection.execute(_QUERY, (key.tenant,)).fetchall()).get(
                    key.kind
                )
                if standing not in (None, opened):
                    raise another_key(key)
                if standing is None:
                    self._store(connection, key.tenant, key.kind, opened)
                    count += 1
        return count

    def close(self) -> None:
        """The file is shared with the registry: the engine closes it."""

    def _keys(self, tenant: str, found: dict[str, bytes]) -> TenantKeys:
        if not {_DATA, _HASH} <= found.keys():
            raise _destroyed(tenant)
        return TenantKeys(tenant, found[_DATA], found[_HASH], found.get(_CONSENT), refuse_unbound=self._refuse_unbound)

    def _destroy(self, tenant: str, *kinds: str) -> None:
        with self._database.write() as connection:
            for kind in kinds:
                connection.execute("DELETE FROM tenant_keys WHERE tenant = ? AND kind = ?", (tenant, kind))
        self._database.forget()

    def _store(self, connection: sqlite3.Connection, tenant: str, kind: str, key: bytes) -> None:
        wrapped = self._master.wrapped(key, purpose=_purpose(tenant, kind))
        connection.execute(
            "INSERT OR REPLACE INTO tenant_keys VALUES (?, ?, ?, ?)", (tenant, kind, self._master.current, wrapped)
        )

    def _unwrapped(self, tenant: str, rows: list[tuple[str, str, bytes]]) -> dict[str, bytes]:
        return {kind: self._unwrap(tenant, kind, master, wrapped) for kind, master, wrapped in rows}

    def _unwrap(self, tenant: str, kind: str, master: str, wrapped: bytes) -> bytes:
        return self._master.unwrapped(master, wrapped, purpose=_purpose(tenant, kind))


def _destroyed(tenant: str) -> KeyDestroyedError:
    return KeyDestroyedError(f"{tenant} has no such key (any more): what it sealed cannot be read, on purpose")


def _purpose(tenant: str, kind: str) -> str:
    return f"{kind}-key/{tenant}"
