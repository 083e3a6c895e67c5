"""The world: everything both provider sides share, put together, on one clock and under one lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from simulator.world.bookings import Bookings
from simulator.world.calendar import Calendar
from simulator.world.clock import AdjustableClock, OffsetClock
from simulator.world.delivery import Delivery
from simulator.world.desk import Desk
from simulator.world.directory import Directory
from simulator.world.errors import WorldError
from simulator.world.faults import Faults
from simulator.world.feed import Feed, Listener
from simulator.world.history import History, RequestLog
from simulator.world.ids import Ids
from simulator.world.scheduler import Scheduler
from simulator.world.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom an access token speaks for."""

    user_id: str
    scopes: frozenset[str]
    client_id: str


class IdentityService(Protocol):
    """What the identity side gives to the others."""

    def bearer(self, headers: Mapping[str, str]) -> Principal | None:
        """The principal of an `Authorization: Bearer` header; None when missing, unknown, expired or revoked."""
        ...

    def set_consent(
        self, user_id: str, *, granted: bool, client_id: str | None = None, scopes: list[str] | None = None
    ) -> dict[str, Any]:
        """Grant beforehand, or revoke the grant with its tokens; returns the consent as JSON."""
        ...

    def grant_tenant(self, tenant_id: str, scopes: list[str] | None = None, *, granted: bool = True) -> dict[str, Any]:
        """An administrator consents for everybody, or takes it back; returns the consent as JSON."""
        ...

    def consents(self, user_id: str) -> list[dict[str, Any]]:
        """The person's grants that exist at the provider, as JSON."""
        ...

    def has_enabled(self, client_id: str, api: str) -> bool:
        """Whether the Google project of this application has enabled this API."""
        ...


class NoIdentity:
    """Nobody is known: every call is refused."""

    def bearer(self, headers: Mapping[str, str]) -> Principal | None:  # noqa: ARG002 (the Protocol's)
        """Always None."""
        return None

    def set_consent(
        self,
        user_id: str,
        *,
        granted: bool,  # noqa: ARG002
        client_id: str | None = None,  # noqa: ARG002
        scopes: list[str] | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Refused."""
        message = f"no identity side is wired: cannot set a consent of {user_id}"
        raise WorldError(message)

    def grant_tenant(
        self,
        tenant_id: str,
        scopes: list[str] | None = None,  # noqa: ARG002
        *,
        granted: bool = True,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Refused."""
        message = f"no identity side is wired: cannot set a consent of {tenant_id}"
        raise WorldError(message)

    def consents(self, user_id: str) -> list[dict[str, Any]]:  # noqa: ARG002
        """None."""
        return []

    def has_enabled(self, client_id: str, api: str) -> bool:  # noqa: ARG002
        """Always."""
        return True


class World:
    """See the package docstring for what the provider sides may call."""

    def __init__(self, seed: int = 0, clock: AdjustableClock | None = None) -> None:
        self.lock = threading.RLock()
        self.clock: AdjustableClock = clock if clock is not None else OffsetClock()
        self.ids = Ids(seed)
        self.faults = Faults()
        self.traffic = Traffic(self.ids, self.faults)
        self.history = History()
        self.requests = RequestLog()
        self.feed = Feed()
        self.scheduler = Scheduler(self.clock, self.lock)
        self.delivery = Delivery(self.ids, self.scheduler, self.faults)
        self.directory = Directory(self.ids)
        self.calendar = Calendar(self.ids, self.clock, self.directory, self.feed)
        shared: dict[str, Any] = {
            "ids": self.ids,
            "clock": self.clock,
            "directory": self.directory,
            "calendar": self.calendar,
            "history": self.history,
        }
        self.desk = Desk(**shared, faults=self.faults, scheduler=self.scheduler)
        self.bookings = Bookings(**shared, desk=self.desk, faults=self.faults)
        self.identity: IdentityService = NoIdentity()
        self.subscription_listings: dict[str, Callable[[], list[dict[str, Any]]]] = {}

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC, on this world's clock."""
        return self.clock.now_ms()

    def on_change(self, listener: Listener) -> None:
        """Call `listener(change)` for every line of every mailbox's feed, inside the lock: it must not block."""
        self.feed.subscribe(listener)

    def set_clock(self, now_ms: int) -> None:
        """Move time; whatever has become due runs soon after."""
        self.clock.set_ms(now_ms)
        self.scheduler.wake()

    def run_due(self) -> int:
        """Run everything that is due now, in this thread (unit tests, where nothing was started)."""
        return self.scheduler.run_due()

    def start(self) -> None:
        """Let time pass: start the scheduler's thread."""
        self.scheduler.start()

    def stop(self) -> None:
        """Stop the threads."""
        self.scheduler.stop()
        self.delivery.stop()
