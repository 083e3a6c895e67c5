"""One SQLite file shared by processes: a connection per thread, short transactions, durable when they return."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import RoomsyncError

LOCK_WAIT_S = 1.0
"""For the threads of this process, and again for other processes: an append fails within 2.2 s (design §9)."""
_OPENING_WAIT_S = 10.0
_CLOSING_WAIT_S = 5.0
"""For what another thread has under way."""
_RETRY_S = 0.02
_BUSY = "other threads write for too long"
_CLOSED = "closed, since this process ends"
_NOT_WIPED = "deleted, but a reader keeps the old pages: do the same again to wipe them"


@dataclass(frozen=True, slots=True)
class _OwnConnection:
    """One thread's."""

    connection: sqlite3.Connection
    in_use: threading.RLock = field(default_factory=threading.RLock)
    """Held by its thread while it uses it. A connection that is closed meanwhile ends the process with a segmentation fault."""


class Database:
    """
    A file and its schema. Thread-safe; not to be carried across a fork.

    Every `sqlite3` failure that is no bug of ours (locked for too long, disk full, unreadable) becomes `unavailable`.
    """

    def __init__(self, path: Path, schema: str, *, unavailable: type[RoomsyncError]) -> None:
        """Make the file, readable by its owner only, and the tables that are missing."""
        self._path = path
        self._unavailable = unavailable
        self._local = threading.local()
        self._connections: dict[threading.Thread, _OwnConnection] = {}
        self._closed = False
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        with self.write() as connection:
            for statement in filter(None, map(str.strip, schema.split(";"))):
                connection.execute(statement)

    def read(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of one query; nothing stays open."""
        with self._translated():
            own = self._own()
            with own.in_use:  # `_using` written out: it would be a third of what a small read costs
                return self._open(own).execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Several reads that see one state. Keep it short: the write-ahead log cannot shrink meanwhile."""
        with self._translated(), self._using() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that takes the write lock first; on disk when the block ends, undone when it raises."""
        # SQLite's own waiting is a back-off that starves threads under load: within a process they queue up here.
        if not self._writing.acquire(timeout=LOCK_WAIT_S):
            raise self._failed(_BUSY)
        try:
            with self._translated(), self._using() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._writing.release()

    def version(self) -> int:
        """Changes whenever another connection, of this process or another, has committed. Costs microseconds."""
        return int(self.read("PRAGMA data_version")[0][0])

    def relax(self) -> None:
        """This thread's commits need not survive a power cut: they say only who is alive now."""
        self.read("PRAGMA synchronous = NORMAL")

    def forget(self) -> None:
        """Leave no trace of what was deleted: move the write-ahead log into the file (zeroed there) and empty it."""
        deadline = time.monotonic() + LOCK_WAIT_S
        while self.read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
            if time.monotonic() > deadline:
                raise self._failed(_NOT_WIPED)
            time.sleep(_RETRY_S)

    def close(self) -> None:
        """Close every thread's connection, each once what it is used for has ended; whoever comes later gets `unavailable`."""
        with self._guard:
            self._closed = True
            for own in self._connections.values():
                if own.in_use.acquire(timeout=_CLOSING_WAIT_S):
                    own.connection.close()
                    own.in_use.release()
            self._connections.clear()

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, which nobody closes meanwhile."""
        own = self._own()
        with own.in_use:
            yield self._open(own)

    def _open(self, own: _OwnConnection) -> sqlite3.Connection:
        if self._closed:
            raise self._failed(_CLOSED)
        return own.connection

    def _own(self) -> _OwnConnection:
        found: _OwnConnection | None = getattr(self._local, "own", None)
        if found is None:
            found = self._local.own = _OwnConnection(self._connect())
            with self._guard:
                for thread in [thread for thread in self._connections if not thread.is_alive()]:
                    self._connections.pop(thread).connection.close()
                if self._closed:
                    found.connection.close()
                self._connections[threading.current_thread()] = found
        return found

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False)
        deadline = time.monotonic() + _OPENING_WAIT_S
        # The first switch to WAL needs the file for itself and does not wait by itself for others that are opening it.
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    connection.close()
                    raise
                time.sleep(_RETRY_S)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._failed(str(error)) from error

    def _failed(self, why: str) -> RoomsyncError:
        return self._unavailable(f"{self._path}: {why}; check free space and rights, and `roomsync doctor`")
