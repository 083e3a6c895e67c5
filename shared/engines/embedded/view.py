"""The view on the log's file: rows, who may see them, and one counter of revisions."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.domain.instants import DAY_MS
from shared.engines.embedded.database import Database
from shared.ports.clock import Clock
from shared.ports.view import Applied, Row, SeenRow

SCHEMA = """
CREATE TABLE IF NOT EXISTS view_applied (
    partition INTEGER PRIMARY KEY, topic_id TEXT NOT NULL, offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS view_rows (key TEXT PRIMARY KEY, partition INTEGER NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS view_rows_of ON view_rows (partition);
CREATE TABLE IF NOT EXISTS view_owners (
    owner TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, gone_at_ms INTEGER, PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS view_owners_of ON view_owners (key);
CREATE INDEX IF NOT EXISTS view_owners_since ON view_owners (owner, revision);
CREATE INDEX IF NOT EXISTS view_owners_gone ON view_owners (gone_at_ms) WHERE gone_at_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS view_revision (one INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
INSERT OR IGNORE INTO view_revision VALUES (1, 0)
"""
_GONE_KEPT_MS = DAY_MS  # a page that resumes later than this reads everything anew


class EmbeddedView:
    """See `shared.ports.view.View`. Revisions count changes of the whole view, so an owner's grow, with gaps."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        """`clock` dates deletions, which are remembered for a day."""
        self._database = database
        self._clock = clock

    def applied(self, partition: int) -> Applied | None:
        """How far a partition has come."""
        rows = self._database.read("SELECT topic_id, offset FROM view_applied WHERE partition = ?", (partition,))
        return Applied(*rows[0]) if rows else None

    def apply(
        self, partition: int, applied: Applied, rows: Sequence[Row], *, onto: int | None = None, whole: bool = False
    ) -> bool:
        """Apply atomically, if newer; `whole`, or another topic id, replaces the partition."""
        with self._database.write() as connection:
            stands = connection.execute(
                "SELECT topic_id, offset FROM view_applied WHERE partition = ?", (partition,)
            ).fetchone()
            if stands and stands[0] == applied.topic_id and stands[1] >= applied.offset:
                return False
            if onto is not None and stands != (applied.topic_id, onto):
                return False
            if whole or (stands and stands[0] != applied.topic_id):
                self._clear(connection, partition, {row.key for row in rows})
            for row in rows:
                self._put(connection, partition, row)
            connection.execute(
                "INSERT OR REPLACE INTO view_applied VALUES (?, ?, ?)", (partition, applied.topic_id, applied.offset)
            )
            gone_ms = self._clock.now_ms() - _GONE_KEPT_MS
            connection.execute("DELETE FROM view_owners WHERE gone_at_ms < ?", (gone_ms,))
        return True

    def reset(self, partition: int) -> None:
        """Forget the partition."""
        with self._database.write() as connection:
            self._clear(connection, partition)
            connection.execute("DELETE FROM view_applied WHERE partition = ?", (partition,))

    def rows(self, owner: str) -> Sequence[SeenRow]:
        """All live rows of `owner`, by key."""
        query = (
            "SELECT key, value, revision FROM view_owners JOIN view_rows USING (key)"
            " WHERE owner = ? AND gone_at_ms IS NULL ORDER BY key"
        )
        return [SeenRow(*row) for row in self._database.read(query, (owner,))]

    def row(self, key: str) -> Row | None:
        """The live row of this key with its owners."""
        with self._database.snapshot() as connection:
            found = connection.execute("SELECT value FROM view_rows WHERE key = ?", (key,)).fetchone()
            return Row(key, tuple(sorted(_owners(connection, key))), found[0]) if found else None

    def changes(self, owner: str, after: int) -> Sequence[SeenRow]:
        """Rows of `owner` that changed after revision `after`, oldest first, deletions included."""
        query = (
            "SELECT key, CASE WHEN gone_at_ms IS NULL THEN value END, revision"
            " FROM view_owners LEFT JOIN view_rows USING (key) WHERE owner = ? AND revision > ? ORDER BY revision"
        )
        return [SeenRow(*row) for row in self._database.read(query, (owner, after))]

    def revision(self, owner: str) -> int:
        """The newest revision of any row of `owner`, or 0."""
        return self.revisions((owner,))[owner]

    def revisions(self, owners: Collection[str]) -> Mapping[str, int]:
        """The newest revision of any row of each owner, or 0."""
        marks = ", ".join("?" * len(owners))
        query = f"SELECT owner, max(revision) FROM view_owners WHERE owner IN ({marks}) GROUP BY owner"  # noqa: S608  # question marks alone
        return dict.fromkeys(owners, 0) | dict(self._database.read(query, tuple(owners)))

    def newest_revision(self) -> int:
        """How many changes there have been."""
        return int(self._database.read("SELECT revision FROM view_revision")[0][0])

    def digest(self) -> str:
        """SHA-256 over the live rows by key: key, owners by name, value, each length-prefixed."""
        digest = hashlib.sha256()
        with self._database.snapshot() as connection:
            for key, value in connection.execute("SELECT key, value FROM view_rows ORDER BY key"):
                for part in (key.encode(), *(owner.encode() for owner in sorted(_owners(connection, key))), value):
                    digest.update(len(part).to_bytes(8, "big") + part)
                digest.update(b"\n")
        return digest.hexdigest()

    def close(self) -> None:
        """The file is the log's: the engine closes it."""

    def _put(self, connection: sqlite3.Connection, partition: int, row: Row) -> None:
        """One row, with a revision for each owner that sees a difference."""
        stands = connection.execute("SELECT value FROM view_rows WHERE key = ?", (row.key,)).fetchone()
        had, has = _owners(connection, row.key), set(row.owners) if row.value is not None else set()
        changed = stands is None or stands[0] != row.value
        if row.value is None:
            connection.execute("DELETE FROM view_rows WHERE key = ?", (row.key,))
        else:
            connection.execute("INSERT OR REPLACE INTO view_rows VALUES (?, ?, ?)", (row.key, partition, row.value))
        self._mark(connection, row.key, has if changed else has - had, gone_at_ms=None)
        self._mark(connection, row.key, had - has, gone_at_ms=self._clock.now_ms())

    def _mark(self, connection: sqlite3.Connection, key: str, owners: Iterable[str], *, gone_at_ms: int | None) -> None:
        for owner in sorted(owners):
            [(revision,)] = connection.execute(
                "UPDATE view_revision SET revision = revision + 1 RETURNING revision"
            ).fetchall()
            connection.execute(
                "INSERT OR REPLACE INTO view_owners VALUES (?, ?, ?, ?)", (owner, key, revision, gone_at_ms)
            )

    def _clear(self, connection: sqlite3.Connection, partition: int, keep: Collection[str] = ()) -> None:
        """Delete the partition's rows but for those that are about to be put again: who sees no difference is told none."""
        keys = connection.execute("SELECT key FROM view_rows WHERE partition = ?", (partition,)).fetchall()
        for (key,) in keys:
            if key not in keep:
                self._put(connection, partition, Row(key, (), None))


def _owners(connection: sqlite3.Connection, key: str) -> set[str]:
    query = "SELECT owner FROM view_owners WHERE key = ? AND gone_at_ms IS NULL"
    return {owner for (owner,) in connection.execute(query, (key,))}
