"""Tests of the integration that end early: the provider cannot reach us, the process dies, somebody else was first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.portal.admin.integration.testflow.deciding import run as runs_module
from services.portal.admin.integration.testflow.trial import Trial
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.sighting import Access, Subscription
from shared.errors import LogUnavailableError, RefusedError, RetryableError
from shared.organisations.enrolment import tenant_of
from shared.registry import tables
from tests.integration.services.portal.admin.administration import PROVIDERS, Building, Chief, a_building, truth, until
from tests.integration.services.portal.admin.integration.testflow.test_flow import Site, a_site, says
from tests.integration.services.portal.office import Simulator
from tests.support.described_answers import described_portal
from tests.support.patience import PATIENCE_S


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
    died(site, monkeypatch, dies_at)
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

    ended = begun_anew(site.chief, site, site.address, monkeypatch)

    assert ended["state"] == "enabled"
    assert ended["test"]["leftovers"] == 0
    assert site.left() == []


def died(site: Site, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> None:
    """A run whose process ended while it waited for the answer of `dies_at`."""
    real = Trial.__init__

    def dying(self: Trial, *args: Any) -> None:
        real(self, *args)
        self._calendar = DiesAfter(self._calendar, dies_at)

    with monkeypatch.context() as patch:
        patch.setattr(Trial, "__init__", dying)
        site.chief.call("POST", "/v1/admin/integration/test", provider=site.provider)
        site.chief.depart(site.provider, site.address)
        site.building.app.extensions["test-flow"].wait(PATIENCE_S)


def begun_anew(chief: Chief, site: Site, address: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Begun anew once the process is known to be dead, by whomever."""
    with monkeypatch.context() as patch:
        patch.setattr(runs_module, "SILENT_MS", -1)
        chief.call("POST", "/v1/admin/integration/test", provider=site.provider)
    chief.depart(site.provider, address)
    return chief.result()


def restart(building: Building) -> None:
    """A new portal process on the same stores."""
    building.app.extensions["test-flow"].wait(PATIENCE_S)
    building.app = described_portal(building.deps)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.proves("E21", "E23")
def test_event_that_its_person_deleted_by_hand_stands_in_no_ones_way(
    provider: str, building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page allows while cleaning up is unfinished; Google never makes the same event a second time."""
    site = a_site(building, provider)
    died(site, monkeypatch, "book")
    [event] = [each for each in truth(site.simulator, "meetings") if each["organizer"] == site.address]
    httpx.delete(f"{site.simulator.url}/sim/v1/meetings/{event['id']}").raise_for_status()

    ended = begun_anew(site.chief, site, site.address, monkeypatch)

    assert ended["test"]["troubles"] == []
    assert ended["state"] == "enabled"
    assert site.left() == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.proves("E21", "E22")
def test_event_that_is_deleted_while_its_room_is_waited_for_is_no_fault_of_ours(
    provider: str, building: Building
) -> None:
    site = a_site(building, provider)
    site.use_room(f"manual@{site.domain}")
    site.chief.call("POST", "/v1/admin/integration/test", provider=provider)
    site.chief.depart(provider, site.address)
    until(lambda: site.chief.integration["test"]["steps"][4]["state"] == "passed", "the push")
    [event] = [each for each in truth(site.simulator, "meetings") if each["organizer"] == site.address]
    httpx.delete(f"{site.simulator.url}/sim/v1/meetings/{event['id']}").raise_for_status()

    says(site, site.chief.result(), "event-gone")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.proves("E23")
def test_what_somebody_left_whose_permission_is_gone_does_not_keep_others_from_testing(
    provider: str, building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ada's process died with an event booked; she has taken her permission back, and Person1 tests."""
    site = a_site(building, provider, people=2)
    other = f"person1@{site.domain}"
    building.tenant(provider, site.directory, other)
    died(site, monkeypatch, "book")
    site.simulator.post(f"users/{site.address}/consents", granted=False)

    ended = begun_anew(building.signed_in(other, provider), site, other, monkeypatch)

    assert ended["test"]["troubles"] == []
    assert ended["state"] == "enabled"
    assert list(tables.consents(building.engine.registry).scan(site.tenant)) == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("dies_at", ["subscribe", "book"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.proves("E21")
def test_given_up_directory_an_interrupted_test_removes_what_it_had_made(
    provider: str, dies_at: str, building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, provider)
    died(site, monkeypatch, dies_at)
    assert site.left() != []

    with monkeypatch.context() as patch:
        patch.setattr(runs_module, "SILENT_MS", -1)
        assert site.chief.post("/admin/integration/test/give-up").status_code == 303

    assert site.left() == []
    assert site.state is IntegrationState.OFF
    assert site.chief.integration["test"] is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.proves("E21")
def test_what_giving_up_cannot_remove_is_said_and_goes_with_the_next_test(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, "microsoft")
    died(site, monkeypatch, "book")
    calendar = building.deps.providers[Provider.MICROSOFT]
    with monkeypatch.context() as patch:
        patch.setattr(runs_module, "SILENT_MS", -1)
        patch.setattr(calendar, "unsubscribe", _busy)
        site.chief.post("/admin/integration/test/give-up")

    page = site.chief.client.get("/admin/integration").text
    assert "could be removed yet" in page
    assert site.chief.integration["test"]["leftovers"] == 1
    assert site.test()["state"] == "enabled"
    assert site.left() == []
    assert "could be removed yet" not in site.chief.client.get("/admin/integration").text


@pytest.mark.proves("E21")
def test_what_cannot_be_undone_at_once_is_undone_with_the_next_try(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, "microsoft")
    calendar = building.deps.providers[next(iter(building.deps.providers))]
    monkeypatch.setattr(calendar, "unsubscribe", _busy)
    monkeypatch.setattr("services.portal.admin.integration.testflow.trial.TRIES", 1)
    found = site.test()

    assert [each["code"] for each in found["test"]["troubles"]] == ["clean-up-unfinished"]
    assert found["state"] == "failed"
    assert found["test"]["leftovers"] == 1
    monkeypatch.undo()

    assert site.test()["state"] == "enabled"
    assert site.left() == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.proves("E23")
def test_what_a_try_may_have_made_is_undone_although_the_next_is_refused(
    provider: str, building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is lost on the way; from then on the provider refuses."""
    site = a_site(building, provider)
    calendar = building.deps.providers[Provider(provider)]
    failures = iter([RetryableError("timed out")])
    subscribe = calendar.subscribe

    def lost(access: Access, wish: Any) -> Subscription:
        failure = next(failures, None)
        if failure is None:
            message = "no"
            raise RefusedError(message, provider_status=403, provider_code="Denied")
        subscribe(access, wish)
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(calendar, "subscribe", lost)
        found = site.test()

    assert [each["code"] for each in found["test"]["troubles"]] == ["calendar-refused", "clean-up-unfinished"]
    assert found["test"]["leftovers"] == 1
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
    site.chief.depart(other, foreign.address)
    found = site.chief.result()

    [trouble] = found["test"]["troubles"]
    assert trouble["code"] == "directory-taken"
    assert tenant_of(building.engine.registry, other, foreign.directory) == owner == foreign.tenant
    assert [user for user, _ in tables.users(building.engine.registry).scan(site.tenant)] == [site.chief.user]


def test_permission_of_somebody_else_is_not_used(building: Building) -> None:
    site = a_site(building, "microsoft", people=2)

    site.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")
    site.chief.depart("microsoft", f"person1@{site.domain}")

    [trouble] = site.chief.result()["test"]["troubles"]
    assert trouble["code"] == "other-person"


def test_second_test_at_the_same_time_is_refused(building: Building) -> None:
    site = a_site(building, "microsoft")
    site.use_room(f"manual@{site.domain}")
    site.chief.call("POST", "/v1/admin/integration/test", provider="microsoft")
    site.chief.depart("microsoft", site.address)
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


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("refused", [True, False], ids=["may not be read", "is empty"])
@pytest.mark.proves("E21")
def test_no_room_to_test_with_is_named(
    provider: str, building: Building, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    site = a_site(building, provider)
    site.use_room("")

    def none(_access: Access) -> list[Any]:
        if refused:
            message = "Google answered 403 forbidden: x"
            raise RefusedError(message)
        return []

    monkeypatch.setattr(building.deps.providers[Provider(provider)], "directory_rooms", none)

    says(site, site.test(), "room-missing")


@pytest.mark.proves("E21")
def test_log_of_our_own_that_is_away_is_no_fault_of_the_provider(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site(building, "google")

    def away(_topic: str, _partition: int) -> None:
        message = "the log is away"
        raise LogUnavailableError(message)

    monkeypatch.setattr(building.engine.log, "span", away)

    says(site, site.test(), "service-away")
