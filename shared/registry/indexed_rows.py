"""
Rows that are found by what stands in them, at a cost of those that are found and not of all.

The index is a table of its own and says where to look, never what holds: a row that it names counts only if it has the word
itself. It is written before the row is. So it names a row too many if a process dies in between, and none too few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from shared.contracts.index_row import IndexRow
from shared.domain.instants import DAY_MS
from shared.errors import MalformedRecordError
from shared.ports.registry import Registry
from shared.registry.rows import Rows

T = TypeVar("T", bound=msgspec.Struct)

COMPLETE = "-"
"""The id of the row that says that every row of the tenant is in the index. Sorts first, so that an erasure begins with it."""
_PAGE = 500


class IndexedRows(Rows[T]):
    """
    As `Rows`, and found by their words. Every method raises StoreUnavailableError when the store cannot be reached.

    Whoever writes a row has its words entered, if they are not: one more question each time, and what a process of an earlier
    version left out comes in with the next change.
    """

    def __init__(
        self,
        registry: Registry,
        name: str,
        kind: type[T],
        *,
        index: Rows[IndexRow],
        words_of: Callable[[T], Collection[str]],
    ) -> None:
        """
        Find the rows of one table.

        Args:
            registry: Where they stand.
            name: The table's.
            kind: What its rows are.
            index: The rows of its index.
            words_of: Pure; what a row is found by. None is `COMPLETE`.
        """
        super().__init__(registry, name, kind)
        self._index = index
        self._words_of = words_of

    def find(self, tenant: str, words: Collection[str]) -> Mapping[str, T]:
        """
        The live rows that have one of the words at least, by row id, in the order of their ids.

        With two questions to the store; all rows are read as long as `complete` has not been called for the tenant.
        """
        wanted = frozenset(words)
        if not wanted:
            return {}
        entries = self._index.get_many(tenant, {*wanted, COMPLETE})
        if COMPLETE in entries:
            named = {row_id for word, entry in entries.items() if word != COMPLETE for row_id in entry.rows}
            rows = self.get_many(tenant, named) if named else {}
        else:
            rows = dict(self.scan(tenant))
        return {row_id: row for row_id, row in sorted(rows.items()) if not wanted.isdisjoint(self._words_of(row))}

    def complete(self, tenant: str, now_ms: int) -> None:
        """
        Enter every row of the tenant that can be read; nothing is done where that was done within a day. Idempotent.

        Once a day all are compared: what a process of an earlier version wrote meanwhile is in no index.
        """
        done = self._index.get(tenant, COMPLETE)
        if done is not None and 0 <= now_ms - done.at_ms < DAY_MS:
            return
        rows = list(self.scan_readable(tenant))
        for start in range(0, len(rows), _PAGE):
            self._enter(tenant, rows[start : start + _PAGE])
        self._index.put(tenant, COMPLETE, IndexRow(at_ms=now_ms))

    def enter(self, tenant: str, row_id: str, row: T) -> None:
        """Have the row found by its words, from before it is written."""
        self._enter(tenant, [(row_id, row)])

    def _enter(self, tenant: str, rows: Sequence[tuple[str, T]]) -> None:
        words = {row_id: frozenset(self._words_of(row)) for row_id, row in rows}
        entries = self._index.get_many(tenant, frozenset().union(*words.values()))
        for row_id, word in ((row_id, word) for row_id, having in words.items() for word in sorted(having)):
            if word not in entries or row_id not in entries[word].rows:
                self._index.change(tenant, word, partial(_with, row_id=row_id))

    def put(self, tenant: str, row_id: str, row: T, *, not_after_ms: int | None = None) -> None:
        """Write the row, whatever stands there; from `not_after_ms` on it is refused at read."""
        self.enter(tenant, row_id, row)
        super().put(tenant, row_id, row, not_after_ms=not_after_ms)

    def add(self, tenant: str, row_id: str, row: T, *, not_after_ms: int | None = None) -> bool:
        """Write the row if none stands there; returns whether it was written."""
        self.enter(tenant, row_id, row)
        return super().add(tenant, row_id, row, not_after_ms=not_after_ms)

    def change(
        self,
        tenant: str,
        row_id: str,
        decide: Callable[[T | None], T | None],
        *,
        not_after_ms: int | Callable[[T], int | None] | None = None,
    ) -> T | None:
        """As `Rows.change`: replace the row by `decide(row)`, and return it as it stands afterwards."""

        def entered(before: T | None) -> T | None:
            after = decide(before)
            if after is not None and after != before:
                self.enter(tenant, row_id, after)
            return after

        return super().change(tenant, row_id, entered, not_after_ms=not_after_ms)

    def delete(self, tenant: str, row_id: str) -> None:
        """Idempotent. Takes the row out of its index as well, as far as it can be read."""
        try:
            row = self.get(tenant, row_id)
        except MalformedRecordError:
            row = None
        super().delete(tenant, row_id)
        for word in sorted(set(self._words_of(row))) if row is not None else ():
            entry = self._index.change(tenant, word, partial(_without, row_id=row_id))
            if entry is not None and not entry.rows:
                self._index.delete(tenant, word)


def _with(entry: IndexRow | None, row_id: str) -> IndexRow:
    return IndexRow(rows=tuple(sorted({*(entry.rows if entry else ()), row_id})))


def _without(entry: IndexRow | None, row_id: str) -> IndexRow | None:
    return IndexRow(rows=tuple(each for each in entry.rows if each != row_id)) if entry else None
