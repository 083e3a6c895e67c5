"""Where runs are kept: one row an organisation, changed only by the run that it belongs to."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from services.portal.admin.integration.testflow.deciding.run import Made, TestRun
from services.portal.deps import Deps
from shared.contracts.envelope import read_json
from shared.crypto.sealing import seal, unseal
from shared.errors import RoomsyncError
from shared.registry import tables

ROW = "run"


class SupersededError(RoomsyncError):
    """Another run has taken this one's place: it stops, and leaves what it made to the other."""


class Runs:
    """All methods raise StoreUnavailableError when the registry cannot be reached."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._table = tables.test_runs(deps.engine.registry)

    def latest(self, tenant: str) -> TestRun | None:
        """The organisation's latest run."""
        return self._table.get(tenant, ROW)

    def place(self, tenant: str, decide: Callable[[TestRun | None], TestRun]) -> TestRun:
        """Put a new run in the place of the one that stands; `decide` may raise to leave it standing."""
        placed = self._table.change(tenant, ROW, decide)
        if placed is None:
            message = "the run was deleted while it was written; reload the page"
            raise SupersededError(message)
        return placed

    def change(self, tenant: str, run_id: str, decide: Callable[[TestRun], TestRun]) -> TestRun:
        """Change the run `run_id`. Raises SupersededError when another stands in its place."""

        def mine(run: TestRun | None) -> TestRun:
            if run is None or run.id != run_id:
                message = "another test took the place of this one"
                raise SupersededError(message)
            return decide(run)

        return self.place(tenant, mine)

    def forget(self, tenant: str) -> None:
        """Delete the row."""
        self._table.delete(tenant, ROW)

    def sealed(self, tenant: str, made: Made) -> bytes:
        """What a run made, under the consent key: it names an event and a room."""
        key = self._deps.engine.keyring.consent_key(tenant)
        return seal(key, msgspec.json.encode(made), purpose=f"test-run/{tenant}")

    def unsealed(self, tenant: str, sealed: bytes) -> Made:
        """The same again. Raises KeyDestroyedError, MalformedRecordError."""
        key = self._deps.engine.keyring.consent_key(tenant)
        return read_json(unseal(key, sealed, purpose=f"test-run/{tenant}"), Made)
