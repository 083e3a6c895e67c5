"""Opening the embedded engine: each part with its file when it is first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

from shared.crypto.master import MasterKeys, require_master_keys
from shared.engines.bound_registry import BoundRegistry, bound
from shared.engines.embedded import keyring, log, registry, view
from shared.engines.embedded.claim import AtPoint
from shared.engines.embedded.database import Database
from shared.engines.embedded.keyring import EmbeddedKeyring
from shared.engines.embedded.log import EmbeddedLog
from shared.engines.embedded.registry import EmbeddedRegistry
from shared.engines.embedded.view import EmbeddedView
from shared.errors import LogUnavailableError, RoomsyncError, StoreUnavailableError
from shared.ports.clock import Clock

LOG_FILE = "log.db"
REGISTRY_FILE = "registry.db"


class EmbeddedEngine:
    """See `shared.ports.engine.Engine`. Log and view share one file, registry and keyring another."""

    def __init__(
        self,
        home: Path,
        *,
        partitions: int,
        prefix: str,
        master: MasterKeys | None,
        clock: Clock,
        at_point: AtPoint = lambda _: None,
        refuse_unbound: bool = False,
    ) -> None:
        """Remember; nothing is opened yet."""
        self._at_point = at_point
        self._home = home
        self._partitions = partitions
        self._prefix = prefix
        self._master = master
        self._refuse_unbound = refuse_unbound
        self._clock = clock
        self._opening = threading.Lock()
        self._databases: list[Database] = []
        self._log: EmbeddedLog | None = None
        self._view: EmbeddedView | None = None
        self._registry: BoundRegistry | EmbeddedRegistry | None = None
        self._keyring: EmbeddedKeyring | None = None

    @property
    def log(self) -> EmbeddedLog:
        """The record. Raises LogUnavailableError, or ConfigurationError (another number of partitions), when opened."""
        with self._opening:
            if self._log is None:
                database = self._file(LOG_FILE, log.SCHEMA, LogUnavailableError)
                self._log = EmbeddedLog(
                    database,
                    partitions=self._partitions,
                    prefix=self._prefix,
                    clock=self._clock,
                    at_point=self._at_point,
                )
            return self._log

    @property
    def view(self) -> EmbeddedView:
        """What answers questions. Raises StoreUnavailableError when opened."""
        with self._opening:
            if self._view is None:
                database = self._file(LOG_FILE, view.SCHEMA, StoreUnavailableError)
                self._view = EmbeddedView(database, clock=self._clock)
            return self._view

    @property
    def registry(self) -> BoundRegistry | EmbeddedRegistry:
        """What exists nowhere else. Raises StoreUnavailableError when opened."""
        with self._opening:
            if self._registry is None:
                database = self._file(REGISTRY_FILE, registry.SCHEMA, StoreUnavailableError)
                rows = EmbeddedRegistry(database, clock=self._clock)
                self._registry = bound(rows, self._master, refuse_unbound=self._refuse_unbound)
            return self._registry

    @property
    def keyring(self) -> EmbeddedKeyring:
        """The tenants' keys. Raises StoreUnavailableError when opened."""
        with self._opening:
            if self._keyring is None:
                database = self._file(REGISTRY_FILE, keyring.SCHEMA, StoreUnavailableError)
                self._keyring = EmbeddedKeyring(
                    database, master=require_master_keys(self._master), refuse_unbound=self._refuse_unbound
                )
            return self._keyring

    def close(self) -> None:
        """Close the files that were opened. Idempotent."""
        with self._opening:
            if self._log is not None:
                self._log.close()
            for database in self._databases:
                database.close()
            self._databases.clear()

    def _file(self, name: str, schema: str, unavailable: type[RoomsyncError]) -> Database:
        """One set of connections per part, because each part has its own word for being away."""
        database = Database(self._home / name, schema, unavailable=unavailable)
        self._databases.append(database)
        return database


def open_engine(
    home: Path,
    *,
    partitions: int,
    prefix: str,
    master: MasterKeys | None,
    clock: Clock,
    at_point: AtPoint = lambda _: None,
    refuse_unbound: bool = False,
) -> EmbeddedEngine:
    """
    The engine on the files of one directory.

    Args:
        home: The data directory; made when something is first opened. On a local disk: locks do not cross networks.
        partitions: Of every topic; fixed once the log is made.
        prefix: Before topic and group names.
        master: Wraps the tenants' keys; None: this process opens none of them.
        clock: Dates records and tells deadlines; leases run on the machine's own.
        at_point: For tests (see `EmbeddedClaim`).
        refuse_unbound: Whether registry rows and sealed records that are bound to no place are refused.
    """
    return EmbeddedEngine(
        home,
        partitions=partitions,
        prefix=prefix,
        master=master,
        clock=clock,
        at_point=at_point,
        refuse_unbound=refuse_unbound,
    )
