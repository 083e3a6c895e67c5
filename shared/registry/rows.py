"""The rows of one registry table, as msgspec structs: reading, writing, and a compare-and-set loop for changing one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from shared.contracts.envelope import read_json
from shared.errors import ConflictError, MalformedRecordError, RowRefusedError
from shared.ports.registry import Registry, Versioned

T = TypeVar("T", bound=msgspec.Struct)

_MAX_TRIES = 50  # each lost try means that somebody else got through; fifty in a row means a fault


class ReadRows(Generic[T]):
    """
    The rows of one table, to be read. Every method raises StoreUnavailableError when the store cannot be reached.

    Reading raises RowRefusedError when a stored row is not a `kind`, or not what was written in its place.
    """

    def __init__(self, registry: Registry, name: str, kind: type[T]) -> None:
        self._registry = registry
        self.name = name
        self._kind = kind

    def get(self, tenant: str, row_id: str) -> T | None:
        """The row; None when absent or past its deadline."""
        found = self._registry.get(self.name, tenant, row_id)
        return None if found is None else self.read(tenant, row_id, found.value)

    def get_many(self, tenant: str, row_ids: Collection[str]) -> Mapping[str, T]:
        """Those of the rows that are there and not past their deadline, by row id, with one question to the store."""
        stored = self._registry.get_many(self.name, tenant, row_ids)
        return {row_id: self.read(tenant, row_id, found.value) for row_id, found in stored.items()}

    def scan(self, tenant: str) -> Iterator[tuple[str, T]]:
        """All live rows of the tenant, by row id."""
        for row_id, found in self._registry.scan(self.name, tenant):
            yield row_id, self.read(tenant, row_id, found.value)

    def scan_named(self, tenant: str, owner: str) -> Iterator[tuple[str, T]]:
        """The live rows of the tenant whose id begins with `owner/` or ends with `/owner` and that can be read, by row id."""
        for row_id, row, _ in self._read_stored(tenant, self._registry.scan_named(self.name, tenant, owner)):
            yield row_id, row

    def scan_readable(
        self, tenant: str, refuse: Callable[[RowRefusedError], object] = lambda _: None
    ) -> Iterator[tuple[str, T]]:
        """
        All live rows of the tenant that can be read, by row id.

        Args:
            tenant: Whose.
            refuse: Is told of each row that is refused; the others follow. By default nobody is: `roomsync doctor` lists them.
        """
        for row_id, row, _ in self.scan_stored(tenant, refuse):
            yield row_id, row

    def list_ids(self, tenant: str) -> list[str]:
        """The ids of all live rows of the tenant, of those that are refused as well."""
        refused: list[RowRefusedError] = []
        readable = [row_id for row_id, _ in self.scan_readable(tenant, refused.append)]
        return [*readable, *(error.row for error in refused)]

    def scan_stored(self, tenant: str, refuse: Callable[[RowRefusedError], object]) -> Iterator[tuple[str, T, bytes]]:
        """As `scan_readable`, each row with its bytes as they were written."""
        return self._read_stored(tenant, self._registry.scan(self.name, tenant), refuse)

    def _read_stored(
        self,
        tenant: str,
        stored: Iterator[tuple[str, Versioned]],
        refuse: Callable[[RowRefusedError], object] = lambda _: None,
    ) -> Iterator[tuple[str, T, bytes]]:
        while True:
            try:
                row_id, found = next(stored)
                row = self.read(tenant, row_id, found.value)
            except StopIteration:
                return
            except RowRefusedError as error:
                refuse(error)
                continue
            yield row_id, row, found.value

    def read(self, tenant: str, row_id: str, raw: bytes) -> T:
        """A row's bytes as a row; tenant and id say which it is, should it be none."""
        try:
            return read_json(raw, self._kind)
        except MalformedRecordError as error:
            raise RowRefusedError(self.name, tenant, row_id, f"it cannot be read ({error})") from error


class Rows(ReadRows[T]):
    """The rows of one table, to be read and written."""

    def put(self, tenant: str, row_id: str, row: T, *, not_after_ms: int | None = None) -> None:
        """Write the row, whatever stands there; from `not_after_ms` on it is refused at read."""
        self._registry.put(self.name, tenant, row_id, msgspec.json.encode(row), not_after_ms=not_after_ms)

    def add(self, tenant: str, row_id: str, row: T, *, not_after_ms: int | None = None) -> bool:
        """Write the row if none stands there; returns whether it was written."""
        try:
            self._registry.put(self.name, tenant, row_id, msgspec.json.encode(row), expect=0, not_after_ms=not_after_ms)
        except ConflictError:
            return False
        return True

    def delete(self, tenant: str, row_id: str) -> None:
        """Idempotent."""
        self._registry.delete(self.name, tenant, row_id)

    def change(
        self,
        tenant: str,
        row_id: str,
        decide: Callable[[T | None], T | None],
        *,
        not_after_ms: int | Callable[[T], int | None] | None = None,
    ) -> T | None:
        """
        Replace the row by `decide(row)`, again and again until nobody wrote in between.

        Args:
            decide: Pure; may be called several times. Gets None for an absent row; returning None, or the row as it was,
                writes nothing.
            not_after_ms: The new row's deadline, or how to tell it from the row; a change without one takes an earlier
                deadline away.

        Returns:
            The row as it stands afterwards.

        Raises:
            ConflictError: fifty tries lost in a row.
        """
        for _ in range(_MAX_TRIES):
            found = self._registry.get(self.name, tenant, row_id)
            before = None if found is None else self.read(tenant, row_id, found.value)
            after = decide(before)
            if after is None or after == before:
                return before
            expect = 0 if found is None else found.version
            until_ms = not_after_ms(after) if callable(not_after_ms) else not_after_ms
            try:
                self._registry.put(
                    self.name, tenant, row_id, msgspec.json.encode(after), expect=expect, not_after_ms=until_ms
                )
            except ConflictError:
                continue
            return after
        message = f"{self.name}/{row_id}: lost {_MAX_TRIES} compare-and-sets in a row; try again"
        raise ConflictError(message)
