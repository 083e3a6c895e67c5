"""Who works: a lease of two seconds per worker, and a spread of the partitions that each computes for itself."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid

from shared.engines.embedded.database import Database
from shared.errors import LogUnavailableError

SCHEMA = """
CREATE TABLE IF NOT EXISTS members (
    joined INTEGER PRIMARY KEY, member TEXT NOT NULL UNIQUE, service TEXT NOT NULL, process TEXT NOT NULL,
    joined_s REAL NOT NULL, until_s REAL NOT NULL)
"""
LEASE_S = 2.0
RENEW_S = 0.5
SETTLE_S = 0.3  # three times what a worker takes from being assigned a partition to claiming it


class EmbeddedMembership:
    """
    One worker of a service, alive while its thread renews the lease.

    Leases run on the machine's monotonic clock, which its processes share; after a restart of the machine what is left
    of earlier leases ends later than a lease can, and is not believed.
    """

    def __init__(self, database: Database, service: str, *, partitions: int, process: str) -> None:
        """Join. `process` is the holder's name in the table of claims."""
        self._database = database
        self._service = service
        self._partitions = partitions
        self._process = process
        self._member = uuid.uuid4().hex
        self._left = threading.Event()
        self._renew()
        self._thread = threading.Thread(target=self._heartbeat, name=f"lease-{service}", daemon=True)
        self._thread.start()

    def assignment(self) -> frozenset[int]:
        """
        This worker's partitions: each live worker, by seniority, has every n-th.

        Handing over is co-operative. What another live worker still holds is not given yet: it closes its claim first,
        and is not fenced. And just after somebody joined only what is held already is given, so that those who were
        assigned a partition a moment ago have claimed it by the time the others look.
        """
        members = self._database.read(
            "SELECT member, process, joined_s, until_s FROM members WHERE service = ? ORDER BY joined", (self._service,)
        )
        claims = dict(self._database.read("SELECT partition, holder FROM claims WHERE service = ?", (self._service,)))
        now_s = time.monotonic()  # after reading: every lease read was written before this instant
        live = [row for row in members if now_s < row[3] <= now_s + LEASE_S]
        others = {process for _, process, _, _ in live} - {self._process}
        settled = len(live) == 1 or all(joined_s + SETTLE_S <= now_s for _, _, joined_s, _ in live)
        return frozenset(
            partition
            for partition in range(self._partitions)
            if live
            and live[partition % len(live)][0] == self._member
            and claims.get(partition) not in others
            and (settled or claims.get(partition) == self._process)
        )

    def close(self) -> None:
        """Leave: the others see it when they next ask. Idempotent."""
        if self._left.is_set():
            return
        self._left.set()
        self._thread.join()
        with self._database.write() as connection:
            connection.execute("DELETE FROM members WHERE member = ?", (self._member,))

    def _heartbeat(self) -> None:
        while not self._left.wait(RENEW_S):
            # A lease that cannot be renewed runs out by itself, and this worker then sees no partition as its own.
            with contextlib.suppress(LogUnavailableError):
                self._database.relax()
                self._renew()

    def _renew(self) -> None:
        with self._database.write() as connection:
            now_s = time.monotonic()
            connection.execute("DELETE FROM members WHERE until_s <= ? OR until_s > ?", (now_s, now_s + LEASE_S))
            connection.execute(
                "INSERT INTO members (member, service, process, joined_s, until_s) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (member) DO UPDATE SET until_s = excluded.until_s",
                (self._member, self._service, self._process, now_s, now_s + LEASE_S),
            )
