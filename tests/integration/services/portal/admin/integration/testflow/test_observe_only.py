"""The test of an integration where the deployment only observes: it does its reading part, and says what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.services.portal.admin.administration import PROVIDERS, Building, a_building, truth
from tests.integration.services.portal.admin.integration.testflow.test_flow import a_site
from tests.integration.services.portal.office import Simulator

READING = {"consent", "read", "room", "subscribe", "clean-up", "enable"}
LEFT_OUT = {"push", "answer"}
SUBSCRIPTIONS = ("/subscriptions", "/events/watch", "/channels/stop")
ASKING = ("/getSchedule", "/freeBusy", "/token", "/sim/")


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator_url: str) -> Iterator[Building]:
    home = tmp_path_factory.mktemp("building")
    with a_building(home, Simulator(simulator_url), test_flow_s=4.0, writes="off") as found:
        yield found


@pytest.mark.proves("B19", "E15", "E18")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_enables_without_booking_anything_and_says_what_needs_writes(building: Building, provider: str) -> None:
    site = a_site(building, provider)
    before = truth(site.simulator, "requests")[-1]["seq"]

    assert site.chief.call("POST", "/v1/admin/integration/test", provider=provider).status_code == 202
    explained = site.chief.client.get("/admin/integration/test").text
    assert "Nothing is booked" in explained
    assert "roomsync test" not in explained
    site.chief.depart(provider, site.address)
    found = site.chief.result()

    assert found["test"]["troubles"] == []
    assert (found["state"], found["observes"]) == ("enabled", True)
    steps = {each["step"]: each for each in found["test"]["steps"]}
    assert {name for name, each in steps.items() if each["state"] == "passed"} == READING
    assert {name for name, each in steps.items() if each["state"] == "not-tried"} == LEFT_OUT
    assert all("ROOMSYNC_WRITES=on" in steps[name]["note"] for name in LEFT_OUT)
    assert "ROOMSYNC_WRITES=on" in site.chief.client.get("/admin/integration/test/result").text
    assert site.left() == []
    written = [
        each
        for each in truth(site.simulator, "requests")
        if each["seq"] > before
        and each["method"] != "GET"
        and not any(word in each["path"] for word in (*SUBSCRIPTIONS, *ASKING))
    ]
    assert written == []
    assert "only observes" in site.chief.client.get("/admin/integration").text


@pytest.mark.proves("B19")
def test_at_google_the_opening_message_of_the_subscription_is_waited_for(building: Building) -> None:
    site = a_site(building, "google")
    site.simulator.faults(pushOff=True)
    try:
        found = site.test()
    finally:
        site.simulator.faults(reset=True)
    assert [(each["step"], each["code"]) for each in found["test"]["troubles"]] == [
        ("subscribe", "webhook-unreachable")
    ]
