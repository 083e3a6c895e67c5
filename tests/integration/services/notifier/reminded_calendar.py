"""Ada's own calendar at a simulated provider, to which nobody but the notifier writes: what was made there, and what stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shared.domain.identity import Provider
from shared.grants.oauth import Granted, classify
from tests.integration.shared.providers.conftest import Simulator, settings_for, sign_in
from tests.support.office import ADA
from tests.support.processes import start_simulator

MADE = (200, 201, 409)
"""What a request to make an event is answered; 409: it had been made before."""


class RemindedCalendar:
    """Counts each request once: what `made_since` and `removed_since` were told of, they tell no more."""

    def __init__(self, simulator: Simulator, provider: Provider) -> None:
        """Make the organisation and Ada in it, and sign her in."""
        self._simulator = simulator
        self._requests: list[Mapping[str, Any]] = []
        self._seen = 0
        domain = ADA.partition("@")[2]
        tenant = {"provider": provider.value, "name": "Contoso", "domain": domain}
        self.provider = provider
        self.directory = str(simulator.ask("POST", "tenants", tenant)["id"])
        user = simulator.ask("POST", "users", {"tenant": self.directory, "name": "Ada", "address": ADA})["id"]
        simulator.ask("POST", f"users/{user}/consents", {"granted": True})
        self.settings = settings_for(simulator)
        granted = classify(provider, httpx.codes.OK, sign_in(self.settings, provider, ADA))
        assert isinstance(granted, Granted)
        self.granted = granted

    @property
    def url(self) -> str:
        """The provider's address."""
        return self._simulator.url

    def requests_since(self) -> tuple[int, int]:
        """How often an event was made, or found to have been made, and how often one was removed, since this was asked last."""
        fresh = self._simulator.ask("GET", f"requests?after={self._seen}")["requests"]
        self._seen += len(fresh)
        made = [each for each in fresh if each["method"] == "POST" and each["path"].endswith("/events")]
        removed = [each for each in fresh if each["method"] == "DELETE"]
        return sum(each["status"] in MADE for each in made), len(removed)

    def events(self) -> Mapping[str, bool]:
        """Each event that was ever made → whether it stands."""
        return {each["id"]: not each["cancelled"] for each in self._simulator.ask("GET", "meetings")["meetings"]}

    def present(self) -> list[str]:
        """The events that stand."""
        return [event for event, stands in self.events().items() if stands]


@contextmanager
def serve_calendar(provider: Provider, environ: Mapping[str, str], clock: Path) -> Iterator[RemindedCalendar]:
    """Run the provider on a test's clock."""
    with (
        start_simulator({**environ, "ROOMSYNC_TEST_CLOCK": str(clock)}) as process,
        httpx.Client(timeout=10) as http,
    ):
        yield RemindedCalendar(Simulator(process.url, http), provider)
