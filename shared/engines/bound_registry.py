"""
A registry whose rows are bound to their place: what somebody who can write to the store moves or alters is refused.

Each row ends in a field that holds a MAC, under a key derived from a master key, over table, tenant, row id and the row. Readers of
earlier versions pass over the field. What cannot be told from it is that a row is an older one of the same place.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hmac
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Protocol, TypeVar

from shared.contracts.envelope import read_json
from shared.crypto.master import MasterKeys
from shared.errors import ConflictError, MalformedRecordError, RowKeyMissingError, RowRefusedError
from shared.ports.holdings import StoredRow
from shared.ports.registry import Registry, Versioned
from shared.registry.tables import BY_NAME, may_be_unbound

R = TypeVar("R", bound="EngineRegistry")

_BOUND = re.compile(rb'(,?)"~":"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})"\}\Z')
_LONGEST = 128
"""Bytes at the end of a row in which the field stands."""


class EngineRegistry(Registry, Protocol):
    """What both engines' registries are: the port, and everything they hold."""

    def everything(self) -> Sequence[StoredRow]:
        """All live rows of all tables and tenants, in order."""
        ...


class BoundRegistry:
    """See `shared.ports.registry.Registry`. Reading raises RowRefusedError for a row that is not what was written there."""

    def __init__(
        self, registry: EngineRegistry, keys: Mapping[str, bytes], current: str, *, refuse_unbound: bool = False
    ) -> None:
        """
        Bind the rows of `registry`.

        Args:
            registry: Where they stand.
            keys: Name → key: what rows may have been bound with.
            current: The name of the key that binds.
            refuse_unbound: Whether rows that version 0.1.0 wrote, which are bound to nothing, are refused.
        """
        self._registry = registry
        self._keys = keys
        self._current = current
        self._refuse_unbound = refuse_unbound

    def get(self, table: str, tenant: str, row: str) -> Versioned | None:
        """The row; None when absent or past its deadline."""
        found = self._registry.get(table, tenant, row)
        return Versioned(self._plain(table, tenant, row, found.value), found.version) if found else None

    def get_many(self, table: str, tenant: str, rows: Collection[str]) -> Mapping[str, Versioned]:
        """Those of the rows that are there and not past their deadline, by row id."""
        return dict(self._read(table, tenant, iter(self._registry.get_many(table, tenant, rows).items())))

    def put(
        self,
        table: str,
        tenant: str,
        row: str,
        value: bytes,
        *,
        expect: int | None = None,
        not_after_ms: int | None = None,
    ) -> int:
        """Write the row, bound, and return its new version. Raises ConflictError when `expect` does not hold."""
        bound = self._bound(table, tenant, row, value)
        return self._registry.put(table, tenant, row, bound, expect=expect, not_after_ms=not_after_ms)

    def delete(self, table: str, tenant: str, row: str) -> None:
        """Idempotent."""
        self._registry.delete(table, tenant, row)

    def scan(self, table: str, tenant: str) -> Iterator[tuple[str, Versioned]]:
        """All live rows of the table for this tenant, by row id. After one that is refused, the next can be asked for."""
        return self._read(table, tenant, self._registry.scan(table, tenant))

    def scan_named(self, table: str, tenant: str, owner: str) -> Iterator[tuple[str, Versioned]]:
        """As `scan`, of the rows whose id begins with `owner/` or ends with `/owner`."""
        return self._read(table, tenant, self._registry.scan_named(table, tenant, owner))

    def everything(self) -> Sequence[StoredRow]:
        """All live rows of all tables and tenants, in order."""
        return [
            dataclasses.replace(each, value=self._plain(each.table, each.tenant, each.row, each.value))
            for each in self._registry.everything()
        ]

    def readable(self, refuse: Callable[[RowRefusedError], object]) -> list[StoredRow]:
        """
        All live rows of all tables and tenants that are what was written in their place, in order.

        Args:
            refuse: Is told of each of the others.

        Raises:
            RowKeyMissingError: of no row the master key is at hand: it is the ring that is wrong, and not the rows.
        """
        found, refused = [], list[RowRefusedError]()
        for each in self._registry.everything():
            try:
                plain = self._plain(each.table, each.tenant, each.row, each.value)
                found.append(dataclasses.replace(each, value=plain))
            except RowRefusedError as error:
                refused.append(error)
        missing = [each for each in refused if isinstance(each, RowKeyMissingError)]
        if missing and not found:
            raise missing[0]
        for row in refused:
            refuse(row)
        return found

    def refused(self) -> list[tuple[str, str, str, str]]:
        """Table, tenant, row and reason of every row that cannot be read."""
        found = []
        for each in self._registry.everything():
            try:
                plain = self._plain(each.table, each.tenant, each.row, each.value)
                if each.table in BY_NAME:
                    read_json(plain, BY_NAME[each.table].row)
            except MalformedRecordError as error:
                found.append((each.table, each.tenant, each.row, str(error)))
        return found

    def foreign_keys(self) -> dict[str, int]:
        """Names of master keys that bound rows, none of which the ring's key of that name fits, and how many rows say so."""
        fits: dict[str, list[bool]] = {}
        for each in self._registry.everything():
            mark = _BOUND.search(each.value[-_LONGEST:])
            name = mark[2].decode() if mark else ""
            if name:
                fits.setdefault(name, []).append(self._is_read(each))
        return {name: len(rows) for name, rows in fits.items() if len(rows) > 1 and not any(rows)}

    def rebind(self) -> int:
        """Bind every row with the current key, and return how many were not. One that changes meanwhile is bound by that."""
        count = 0
        for each in self._registry.everything():
            mark = _BOUND.search(each.value[-_LONGEST:])
            if (mark and mark[2].decode() == self._current) or not each.value.endswith(b"}"):
                continue
            found = self.get(each.table, each.tenant, each.row)
            if found is None:
                continue
            with contextlib.suppress(ConflictError):
                place = (each.table, each.tenant, each.row)
                self.put(*place, found.value, expect=found.version, not_after_ms=each.not_after_ms)
                count += 1
        return count

    def close(self) -> None:
        """Release connections and files."""
        self._registry.close()

    def _read(self, table: str, tenant: str, rows: Iterator[tuple[str, Versioned]]) -> Iterator[tuple[str, Versioned]]:
        def read(stored: tuple[str, Versioned]) -> tuple[str, Versioned]:
            row, found = stored
            return row, Versioned(self._plain(table, tenant, row, found.value), found.version)

        return map(read, rows)  # a generator would end with the first one refused

    def _bound(self, table: str, tenant: str, row: str, value: bytes) -> bytes:
        """The row with its MAC; what is no JSON object, which no table of ours holds, stays as it is."""
        if not (value.startswith(b"{") and value.endswith(b"}")):
            return value
        mac = _mac(self._keys[self._current], table, tenant, row, value)
        separator = b"," if value != b"{}" else b""
        return value[:-1] + separator + b'"~":"' + self._current.encode() + b"." + mac + b'"}'

    def _is_read(self, each: StoredRow) -> bool:
        try:
            self._plain(each.table, each.tenant, each.row, each.value)
        except RowRefusedError:
            return False
        return True

    def _plain(self, table: str, tenant: str, row: str, value: bytes) -> bytes:
        mark = _BOUND.search(value, max(len(value) - _LONGEST, 0))
        if mark is None:
            if self._refuse_unbound or not may_be_unbound(table, row):
                raise RowRefusedError(table, tenant, row, "it is bound to no place")
            return value
        plain = value[: mark.start()] + b"}"
        key = self._keys.get(mark[2].decode())
        if key is None:
            raise RowKeyMissingError(table, tenant, row, mark[2].decode())
        if not hmac.compare_digest(_mac(key, table, tenant, row, plain), mark[3]):
            raise RowRefusedError(table, tenant, row, "it was written for another place, or altered since")
        return plain


def bound(registry: R, master: MasterKeys | None, *, refuse_unbound: bool) -> BoundRegistry | R:
    """The registry with its rows bound; as it is in a process without a master key, which has no use for it."""
    if master is None:
        return registry
    return BoundRegistry(registry, master.row_keys(), master.current, refuse_unbound=refuse_unbound)


def _mac(key: bytes, *parts: str | bytes) -> bytes:
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    text = b"".join(len(part).to_bytes(8, "big") + part for part in raw)
    return base64.urlsafe_b64encode(hmac.digest(key, text, sha256)).rstrip(b"=")
