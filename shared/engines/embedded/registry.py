"""The registry on its own file: rows with versions and deadlines, always under a tenant."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from shared.engines.embedded.database import Database
from shared.errors import ConflictError, StoreUnavailableError
from shared.ports.clock import Clock
from shared.ports.holdings import StoredRow
from shared.ports.registry import Versioned

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    name TEXT NOT NULL, tenant TEXT NOT NULL, row TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL,
    not_after_ms INTEGER, PRIMARY KEY (name, tenant, row));
CREATE INDEX IF NOT EXISTS rows_ending ON rows (not_after_ms) WHERE not_after_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS versions (one INTEGER PRIMARY KEY, version INTEGER NOT NULL);
INSERT OR IGNORE INTO versions VALUES (1, 0)
"""


class EmbeddedRegistry:
    """See `shared.ports.registry.Registry`. Versions never repeat: a row made anew does not answer to an old one's."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        """`clock` tells which rows are past their deadline."""
        self._database = database
        self._clock = clock

    def get(self, table: str, tenant: str, row: str) -> Versioned | None:
        """The row; None when absent or past its deadline."""
        query = "SELECT value, version, not_after_ms FROM rows WHERE name = ? AND tenant = ? AND row = ?"
        for value, version, not_after_ms in self._database.read(query, (table, tenant, row)):
            if not_after_ms is None or self._clock.now_ms() < not_after_ms:
                return Versioned(value, version)
            self._sweep()
        return None

    def get_many(self, table: str, tenant: str, rows: Collection[str]) -> Mapping[str, Versioned]:
        """Those of the rows that are there and not past their deadline."""
        found = self._database.read(
            "SELECT row, value, version FROM rows WHERE name = ? AND tenant = ? AND row IN (SELECT value FROM json_each(?))"
            " AND (not_after_ms IS NULL OR not_after_ms > ?)",
            (table, tenant, json.dumps(list(rows)), self._clock.now_ms()),
        )
        return {row: Versioned(value, version) for row, value, version in found}

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
        """Write the row and return its new version. Raises ConflictError when `expect` does not hold."""
        self._sweep()
        with self._database.write() as connection:
            stands = connection.execute(
                "SELECT version FROM rows WHERE name = ? AND tenant = ? AND row = ?"
                " AND (not_after_ms IS NULL OR not_after_ms > ?)",
                (table, tenant, row, self._clock.now_ms()),
            ).fetchone()
            found = int(stands[0]) if stands else 0
            if expect not in (None, found):
                message = f"{table}/{row} is at version {found}, not {expect}: read it again and decide anew"
                raise ConflictError(message)
            [(version,)] = connection.execute("UPDATE versions SET version = version + 1 RETURNING version").fetchall()
            connection.execute(
                "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?)",
                (table, tenant, row, value, version, not_after_ms),
            )
        return int(version)

    def delete(self, table: str, tenant: str, row: str) -> None:
        """Idempotent. The row is wiped from the file as well, unless a reader is in the way just then."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM rows WHERE name = ? AND tenant = ? AND row = ?", (table, tenant, row))
        with contextlib.suppress(StoreUnavailableError):
            self._database.forget()

    def scan(self, table: str, tenant: str) -> Iterator[tuple[str, Versioned]]:
        """All live rows of the table for this tenant, by row id, as they stood together at one instant."""
        rows = self._database.read(
            "SELECT row, value, version FROM rows WHERE name = ? AND tenant = ?"
            " AND (not_after_ms IS NULL OR not_after_ms > ?) ORDER BY row",
            (table, tenant, self._clock.now_ms()),
        )
        return iter([(row, Versioned(value, version)) for row, value, version in rows])

    def scan_named(self, table: str, tenant: str, owner: str) -> Iterator[tuple[str, Versioned]]:
        """All live rows whose id begins with `owner/` or ends with `/owner`, by row id."""
        rows = self._database.read(
            "SELECT row, value, version FROM rows WHERE name = ? AND tenant = ?"
            " AND (substr(row, 1, length(?)) = ? OR substr(row, -length(?)) = ?)"
            " AND (not_after_ms IS NULL OR not_after_ms > ?) ORDER BY row",
            (table, tenant, f"{owner}/", f"{owner}/", f"/{owner}", f"/{owner}", self._clock.now_ms()),
        )
        return iter([(row, Versioned(value, version)) for row, value, version in rows])

    def everything(self) -> Sequence[StoredRow]:
        """All live rows of all tables and tenants, as they stood together at one instant."""
        rows = self._database.read(
            "SELECT name, tenant, row, value, not_after_ms FROM rows WHERE not_after_ms IS NULL OR not_after_ms > ?"
            " ORDER BY name, tenant, row",
            (self._clock.now_ms(),),
        )
        return [StoredRow(*row) for row in rows]

    def close(self) -> None:
        """The file is shared with the keyring: the engine closes it."""

    def _sweep(self) -> None:
        """Delete the rows of all tenants that are past their deadline."""
        now_ms = self._clock.now_ms()
        if self._database.read("SELECT 1 FROM rows WHERE not_after_ms <= ? LIMIT 1", (now_ms,)):
            with self._database.write() as connection:
                connection.execute("DELETE FROM rows WHERE not_after_ms <= ?", (now_ms,))
