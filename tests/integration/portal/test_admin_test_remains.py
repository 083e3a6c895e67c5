"""Tests of the integration that end early: the provider cannot reach us, the process dies, somebody else was first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.portal.app import create_app
from services.portal.testflow import run as runs_module
from services.portal.testflow.trial import Trial
from shared.consents import tables
from shared.consents.enrolment import tenant_of
from shared.contracts.rows import IntegrationState
from shared.domain.sighting import Access, Subscription
from shared.errors import RetryableError
from tests.integration.portal.administration import PROVIDERS, Building, a_building, until
from tests.integration.portal.office import Simulator
from tests.integration.portal.test_admin_test_flow import a_site, says


@pytest.fixture(scope="module")
def simulator(simulator_url: str) -> Iterator[Simulator]:
    found = Simulator(simulator_url)
    found.faults(roomDelayMs=[20, 60])
    yield found
    found.faults(reset=True)


@pytest.fixture
def building(tmp_path: Path, simulator: Simulator) -> Iterator[Building]:
    with a_building(tmp_path / "home", simulator, test_flow_s=4.0) as found:
        yield found


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.proves("E21")
def test_receiver_that_the_provider_cannot_reach_is_named(provider: str, tmp_path: Path, simulator: Simulator) -> None:
    with a_building(tmp_path / "deaf", simulator, test_flow_s=2.0, hooks_url="http://127.0.0.1:9") as building:
        site = a_site(building, provider)

        says(site, site.test(), "webhook-unreachable")


class DiesAfter:
    """A calendar whose answer never arrives: the process ended while it waited."""

    def __init__(self, calendar: Any, *methods: str) -> None:
        self._calendar = calendar
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._calendar, name)
        if name not in self._methods:
            return real

        def lost(*args: Any) -> Any:
            real(*args)
            raise SystemExit(name)

        return lost


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("dies_at", ["subscribe", "book"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # that is the death
@pytest.mark.proves("E21", "E23")
def test_run_whose_process_died_is_shown_as_interrupted_and_begun_again_from_nothing(
    provider: str, dies_at: str, building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of the call is lost with the process: only its beginning is on record."""
    site = a_site(building, provider)
    real = Trial.__init__

    def dying(self: Trial, *args: Any) -> None:
        real(self, *args)
        self._calendar = DiesAfter(self._calendar, dies_at)

    with monkeypatch.context() as patch:
        patch.setattr(Trial, "__init__", dying)
        begun = site.chief.call("POST", "/v1/admin/integration/test", provider=provider)
        site.chief.follow(f"{begun.json['next']}&login_hint={site.address}")
        building.app.extensions["test-flow"].wait(20)
    assert len(site.left()) >= 2, "a subscription or an event, and the grant to undo it with"

    restart(building)
    monkeypatch.setattr(runs_module, "SILENT_MS", -1)
    found = site.chief.integration["test"]
    page = site.chief.client.get("/admin/integration/test/result").text
    monkeypatch.undo()

    assert found["interrupted"]
    assert found["troubles"][-1]["code"] == "interrupted"
    assert "The test was interrupted" in page
    assert site.state is IntegrationState.TESTING

    monkeypatch.setattr(runs_module, "SILENT_MS", -1)
    again = site.chief.call("POST", "/v1/admin/integration/test", provider=provider)
    monkeypatch.undo()
    site.chief.follow(f"{again.json['next']}&login_hint={site.address}")
    ended = site.chief.result()

    assert ended["state"] == "enabled"
    assert ended["test"]["leftovers"] == 0
    assert site.left() == []


def restart(building: Building) -> None:
    """A new portal process on the same stores."""
    building.app.extensions["test-flow"].wait(20)
    building.app = create_app(building.deps)


@pytest.mark.proves("E21")
def test_what_cannot_be_undone_at_once_is_undone_with_the_next_try(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, "microsoft")
    calendar = building.deps.providers[next(iter(building.deps.providers))]
    monkeypatch.setattr(calendar, "unsubscribe", _busy)
    monkeypatch.setattr("services.portal.testflow.trial.TRIES", 1)
    found = site.test()

    assert [each["code"] for each in found["test"]["troubles"]] == ["clean-up-unfinished"]
    assert found["state"] == "failed"
    assert found["test"]["leftovers"] == 1
    monkeypatch.undo()

    assert site.test()["state"] == "enabled"
    assert site.left() == []


def _busy(_access: Access, _subscription: Subscription) -> None:
    message = "busy"
    raise RetryableError(message)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.proves("E32")
def test_organisation_that_is_another_tenant_is_not_taken_over(provider: str, building: Building) -> None:
    """An administrator of one organisation tests with an account of another that is set up here."""
    other = "google" if provider == "microsoft" else "microsoft"
    site, foreign = a_site(building, provider), a_site(building, other)
    owner = tenant_of(building.engine.registry, other, foreign.directory)

    site.chief.call("POST", "/v1/admin/integration/test", provider=other)
    site.chief.follow(f"/auth/login?provider={other}&for=test&login_hint={foreign.address}")
    found = site.chief.result()

    [trouble] = found["test"]["troubles"]
    assert trouble["code"] == "directory-taken"
    assert tenant_of(building.engine.registry, other, foreign.directory) == owner == foreign.tenant
    assert [user for user, _ in tables.users(building.engine.registry).scan(site.tenant)] == [site.chief.user]


def test_permission_of_somebody_else_is_not_used(building: Building) -> None:
    site = a_site(building, "microsoft", people=2)

    site.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")
    site.chief.follow(f"/auth/login?provider=microsoft&for=test&login_hint=person1@{site.domain}")

    [trouble] = site.chief.result()["test"]["troubles"]
    assert trouble["code"] == "other-person"


def test_second_test_at_the_same_time_is_refused(building: Building) -> None:
    site = a_site(building, "microsoft")
    site.use_room(f"manual@{site.domain}")
    begun = site.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")
    site.chief.follow(f"{begun.json['next']}&login_hint={site.address}")
    until(lambda: site.chief.integration["test"]["steps"][4]["state"] == "passed", "the push")

    again = site.chief.call("POST", "/v1/admin/integration/test", provider="google")
    given_up = site.chief.call("DELETE", "/v1/admin/integration/test")

    assert (again.status_code, again.json["code"]) == (409, "test-under-way")
    assert (given_up.status_code, given_up.json["code"]) == (409, "test-under-way")
    site.chief.result()
    assert site.left() == []


@pytest.mark.proves("E16")
def test_hundred_people_and_nobody_is_connected_by_enabling(building: Building) -> None:
    site = a_site(building, "google", people=100)

    assert site.test()["state"] == "enabled"

    assert site.left() == []
    assert building.row(site.tenant).integration is IntegrationState.ENABLED
