"""Two tabs, two administrators, or somebody who changes their mind: whatever comes in between, one test runs, or none."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from services.portal.admin.integration.testflow import flow as flow_module
from services.portal.sign_in import openid, openid_provider
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.providers.catalogue import profile_of
from shared.registry import tables
from tests.integration.services.portal.admin import administration
from tests.integration.services.portal.admin.administration import PROVIDERS, Building, Chief, a_building
from tests.integration.services.portal.admin.integration.testflow.test_flow import Site, a_site
from tests.integration.services.portal.office import Simulator

MEET_S = 10.0


@pytest.fixture(scope="module")
def simulator(simulator_url: str) -> Iterator[Simulator]:
    found = Simulator(simulator_url)
    found.faults(roomDelayMs=[20, 60])
    yield found
    found.faults(reset=True)


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Building]:
    with a_building(tmp_path_factory.mktemp("at-once"), simulator, test_flow_s=4.0) as found:
        yield found


def begun(site: Site) -> None:
    assert site.chief.call("POST", "/v1/admin/integration/test", provider=site.provider).status_code == 202


def way_back(chief: Chief, site: Site) -> str:
    """A tab is at the provider, and about to come back with the permission."""
    asked = chief.post("/admin/integration/test/depart", provider=site.provider)
    return administration.way_back(site.simulator, administration.led_to(asked.text), site.address)


def another_tab(chief: Chief) -> Chief:
    """The same browser: its cookies."""
    other = Chief(chief.building, chief.building.app.test_client(), chief.csrf, chief.tenant, chief.user)
    for name in ("roomsync_session", "roomsync_sign_in"):
        cookie = chief.client.get_cookie(name)
        assert cookie is not None
        other.client.set_cookie(name, cookie.value)
    return other


def in_between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Have `act` done when somebody who came back has been let through, and the run is not theirs yet."""
    real = flow_module.enter

    def enter(*args: Any) -> str:
        act()
        return real(*args)

    monkeypatch.setattr(flow_module, "enter", enter)


@pytest.mark.proves("E21")
def test_of_two_tabs_that_come_back_at_once_one_runs_the_test(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, "microsoft")
    begun(site)
    first = way_back(site.chief, site)
    second = way_back(site.chief, site)
    tabs = [(site.chief, first), (another_tab(site.chief), second)]
    both = threading.Barrier(2)
    in_between(monkeypatch, lambda: both.wait(MEET_S))
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda tab=tab, path=path: answers.append(tab.client.get(path))) for tab, path in tabs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = site.chief.result()
    building.app.extensions["test-flow"].wait(MEET_S)

    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert "no-test" in next(answer.text for answer in answers if answer.status_code == 409)
    assert (ended["state"], ended["test"]["troubles"]) == ("enabled", [])
    assert site.left() == []


@pytest.mark.proves("E21")
def test_given_up_directory_in_the_moment_of_coming_back_leaves_no_test_and_nothing_of_one(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, "microsoft")
    begun(site)
    back = way_back(site.chief, site)
    other = another_tab(site.chief)
    in_between(monkeypatch, lambda: other.post("/admin/integration/test/give-up"))

    answer = site.chief.client.get(back)

    assert (answer.status_code, "no-test" in answer.text) == (409, True)
    assert site.state is IntegrationState.OFF
    assert site.chief.integration["test"] is None
    assert site.left() == []


@pytest.mark.proves("E32")
def test_what_two_administrators_chose_at_once_is_tested_as_neither(building: Building) -> None:
    """One's run stands with the other's choice: it could pass every step, and then enable nothing."""
    site = a_site(building, "microsoft")
    begun(site)
    tables.tenants(building.engine.registry).change(
        site.tenant, "tenant", lambda row: msgspec.structs.replace(row, provider="google") if row else None
    )

    gone = site.chief.post("/admin/integration/test/depart", provider="microsoft")

    assert (gone.status_code, "no-test" in gone.text) == (409, True)
    assert site.test()["state"] == "enabled"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.proves("E21")
def test_permission_that_does_not_last_fails_the_test_and_not_everybody_after_it(
    provider: str, building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, provider)
    plain = openid.scopes_for
    online = {Provider.GOOGLE: dataclasses.replace(profile_of(Provider.GOOGLE), authorization={})}
    monkeypatch.setattr(openid_provider, "profile_of", lambda name: online.get(name) or profile_of(name))
    monkeypatch.setattr(
        openid,
        "scopes_for",
        lambda *args, **how: tuple(scope for scope in plain(*args, **how) if scope != "offline_access"),
    )

    found = site.test()

    [trouble] = found["test"]["troubles"]
    assert trouble["code"] == "no-lasting-permission"
    assert found["state"] == "failed"
    assert site.left() == []
