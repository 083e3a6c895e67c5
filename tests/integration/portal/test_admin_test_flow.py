"""The test of an integration, done for real: the real simulator, the real receiver, the real clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.portal.testflow.booking import TITLE
from shared.consents import tables
from shared.contracts.rows import IntegrationState
from tests.integration.portal.administration import PROVIDERS, Building, Chief, a_building, truth
from tests.integration.portal.office import Simulator


@dataclass
class Site:
    """One organisation at one provider, with its administrator signed in and a room entered."""

    building: Building
    simulator: Simulator
    provider: str
    domain: str
    directory: str
    tenant: str
    chief: Chief
    room: str

    @property
    def address(self) -> str:
        return f"ada@{self.domain}"

    @property
    def room_address(self) -> str:
        return f"room@{self.domain}"

    def test(self) -> dict[str, Any]:
        return self.chief.test(self.provider, self.address)

    @property
    def state(self) -> IntegrationState:
        return self.building.state(self.tenant)

    def left_at_the_provider(self) -> list[Any]:
        """Subscriptions that live, and events of the test that stand."""
        subscriptions = [each for each in truth(self.simulator, "subscriptions") if self.domain in str(each)]
        meetings = [each for each in truth(self.simulator, "meetings") if each["title"] == TITLE]
        mine = [each for each in meetings if self.domain in str(each) and not each.get("cancelled")]
        return [*subscriptions, *mine]


@pytest.fixture
def building(tmp_path: Path, simulator: Simulator) -> Iterator[Building]:
    with a_building(tmp_path / "home", simulator) as found:
        yield found


@pytest.fixture(params=PROVIDERS)
def site(request: pytest.FixtureRequest, building: Building, simulator: Simulator) -> Site:
    return a_site(building, simulator, request.param)


def a_site(building: Building, simulator: Simulator, provider: str, *, room: bool = True) -> Site:
    [known] = [
        each for each in truth(simulator, "tenants") if each["provider"] == provider and each["name"] == "Contoso"
    ][-1:]
    domain = known["domain"]
    simulator.post("rooms", tenant=known["id"], name="Room", address=f"room@{domain}", capacity=4)
    tenant = building.tenant(provider, known["id"], f"ada@{domain}")
    entered = building.enter_room(tenant, f"room@{domain}") if room else ""
    chief = building.signed_in(f"ada@{domain}", provider)
    return Site(building, simulator, provider, domain, known["id"], tenant, chief, entered)


@pytest.mark.proves("E13", "E16", "E20")
def test_real_thing_is_done_once_and_nothing_of_it_is_left(site: Site) -> None:
    found = site.test()

    assert found["test"]["troubles"] == []
    assert [each["state"] for each in found["test"]["steps"]] == ["passed"] * 8
    assert found["state"] == "enabled"
    assert site.left_at_the_provider() == []
    registry = site.building.engine.registry
    assert list(tables.consents(registry).scan(site.tenant)) == []
    assert all(row.paired for _, row in tables.rooms(registry).scan(site.tenant))
