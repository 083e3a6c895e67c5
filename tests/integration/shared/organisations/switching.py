"""The small office of the pipeline, switched off and on: the portal's own functions, both workers, and the sweep, step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from services.portal.admin.integration import switching
from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from services.sync_worker.housekeeping.sweep import Sweep
from shared.contracts.rows import ConsentRow, RoomRow, TenantRow
from shared.domain.identity import Provider
from shared.domain.keys import TenantKeys
from shared.domain.sighting import Access, Look, Subscription, Window
from shared.organisations.integration import IntegrationTransition, after
from shared.registry import tables
from shared.runtime.settings import Settings
from tests.support.office import Office


class OffOffice(Office):
    """`switch_off()` and `switch_on()` do what the administrator's pages do; `sweep()` is one round of a worker's."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.home = home
        self.deps = Deps(
            settings=Settings(),
            engine=self.engine,
            clock=self.clock,
            broker=self.broker,
            providers={Provider.MICROSOFT: self.calendar},  # type: ignore[dict-item]
            session_key=b"k" * 32,
        )
        self.ending_failures: list[Exception] = []
        self.when_looking: Callable[[], None] | None = None
        self.when_ending: Callable[[], None] | None = None
        self._look = self.calendar.look
        self.calendar.look = self._looked  # type: ignore[method-assign]
        self.calendar.unsubscribe = self._unsubscribe  # type: ignore[method-assign]

    def switch_off(self) -> None:
        switching.switch_off(self.deps, Person(self.tenant, "u-chief", self.mailbox, "microsoft", "", ""))

    def switch_on(self) -> None:
        """As after a passed test flow."""
        switching.lapse(self.deps, self.tenant)
        for act in (IntegrationTransition.BEGIN_TEST, IntegrationTransition.TEST_PASSED):
            self.act(act)
        switching.wake(self.deps, self.tenant)

    def sweep(self) -> None:
        """By a process that has just been started."""
        Sweep(self.engine, self.clock, self.endings).once()

    def move_to(self, at_ms: int) -> None:
        self.clock.at_ms = at_ms
        self.sweep()
        self.settle()

    def organisation(self) -> TenantRow:
        row = tables.tenants(self.engine.registry).get(self.tenant, "tenant")
        assert row is not None
        return row

    def rooms(self) -> dict[str, RoomRow]:
        return dict(tables.rooms(self.engine.registry).scan(self.tenant))

    def keys_now(self) -> TenantKeys:
        return self.engine.keyring.keys(self.tenant)

    def grant(self) -> ConsentRow:
        row = self.consent()
        assert row is not None
        return row

    def references(self) -> dict[bytes, Any]:
        """What stands on `calendar-state` of mailboxes that are connected, after compaction."""
        return {key: value for key, value in self.kept().items() if not key.endswith(b"/left")}

    def kept(self) -> dict[bytes, Any]:
        """What stands on `calendar-state` but for the position, after compaction."""
        found: dict[bytes, Any] = {}
        for record in self.engine.log.read("calendar-state", 0, 0, limit=5000):
            found.pop(record.key, None)
            if record.value and record.key.startswith(self.tenant.encode()):
                found[record.key] = record.value
        return found

    def waiting_endings(self) -> int:
        return sum(1 for _ in tables.endings(self.engine.registry).scan(self.tenant))

    def act(self, act: IntegrationTransition, provider: str = "microsoft") -> None:
        """Nothing but the organisation's row changes."""
        now_ms = self.clock.at_ms
        tables.tenants(self.engine.registry).change(
            self.tenant,
            "tenant",
            lambda row: msgspec.structs.replace(after(row, act, now_ms), provider=provider) if row else None,
        )

    def _looked(self, access: Access, cursor: str, window: Window, known: object = None) -> Look:
        del known
        found = self._look(access, cursor, window)
        if self.when_looking is not None:
            self.when_looking()
        return found

    def _unsubscribe(self, access: Access, subscription: Subscription) -> None:
        del access
        self.calendar.calls.append("unsubscribe")
        when, self.when_ending = self.when_ending, None
        if when is not None:
            when()
        if self.ending_failures:
            raise self.ending_failures.pop(0)
        self.calendar.subscriptions.pop(subscription.id, None)
