"""
What exists nowhere else: tenants, people, sealed grants, rooms, dismissals. A small table store with compare-and-set.

Every row belongs to a tenant: there is no query without one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Versioned:
    """A row's bytes and the version to name when replacing it."""

    value: bytes
    version: int


class Registry(Protocol):
    """All methods raise StoreUnavailableError when the store cannot be reached. Durable on return. Thread-safe."""

    def get(self, table: str, tenant: str, row: str) -> Versioned | None:
        """The row; None when absent or past its `not_after_ms`."""
        ...

    def get_many(self, table: str, tenant: str, rows: Collection[str]) -> Mapping[str, Versioned]:
        """Those of the rows that are there and not past their `not_after_ms`, by row id: one question, however many they are."""
        ...

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
        """
        Write the row and return its new version.

        Args:
            expect: None writes whatever stands there; 0 only if absent; n only over version n.
            not_after_ms: From then on the row is refused at read, and anyone may delete it.

        Raises:
            ConflictError: `expect` does not hold.
        """
        ...

    def delete(self, table: str, tenant: str, row: str) -> None:
        """Idempotent."""
        ...

    def scan(self, table: str, tenant: str) -> Iterator[tuple[str, Versioned]]:
        """All live rows of the table for this tenant, by row id."""
        ...

    def scan_named(self, table: str, tenant: str, owner: str) -> Iterator[tuple[str, Versioned]]:
        """
        All live rows of the table for this tenant whose id begins with `owner/` or ends with `/owner`, by row id.

        The store looks through the names of the table's rows for it, and hands out no other row.
        """
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
