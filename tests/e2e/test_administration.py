"""An organisation from nothing to enabled, on the running system: appointed by command, tested, and nobody connected by it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from cli.demo.processes import RunningSystem, run_command, start_system
from tests.support.patience import PATIENCE_S


@pytest.fixture(scope="module")
def stage() -> Iterator[RunningSystem]:
    overrides = {"ROOMSYNC_ENROLMENT": "closed", "ROOMSYNC_TEST_FLOW_S": "20"}
    with start_system(engine="embedded", seed=7, servers={}, overrides=overrides) as found:
        yield found


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.proves("E14", "E15", "E16", "E18", "E20")
def test_administrator_tests_the_integration_and_people_may_then_connect(stage: RunningSystem, provider: str) -> None:
    domain = f"{provider}.test"
    directory = simulate(stage, "tenants", provider=provider, name="Contoso", domain=domain)["id"]
    for name in ("ada", "ben"):
        user = simulate(stage, "users", tenant=directory, name=name.title(), address=f"{name}@{domain}")
        simulate(stage, f"users/{user['id']}/consents", granted=True)
    simulate(stage, "rooms", tenant=directory, name="Room", address=f"room@{domain}", capacity=4)
    run_command(
        ["tenants", "admin", "--provider", provider, "--directory", directory, "--address", f"ada@{domain}"],
        stage.environ,
    )
    confirm_candidate(stage, f"/auth/login?provider={provider}&for=sign-in&login_hint=ada@{domain}")

    with httpx.Client(base_url=stage.portal, timeout=30.0) as ada:
        landed = go(ada, f"/auth/login?provider={provider}&for=sign-in&login_hint=ada@{domain}")
        assert landed.url.path == "/admin/integration"
        assert connect(stage, provider, f"ben@{domain}").status_code == 403, "nobody connects before the test"
        csrf = re.search(r'name="csrf" value="([^"]+)"', landed.text)
        assert csrf is not None
        ada.post("/admin/integration/test", data={"csrf": csrf.group(1), "provider": provider})
        assert ada.get("/v1/admin/integration").json()["state"] == "testing"
        depart(ada, provider)
        found = ended(ada)

        assert found["test"]["troubles"] == []
        assert found["state"] == "enabled"
        assert "Users may now connect" in ada.get("/admin/integration/test/result").text
    assert live(stage, provider) == [], "nobody is connected by it"
    assert connect(stage, provider, f"ben@{domain}").status_code == 200
    assert wait(lambda: live(stage, provider)), "one subscription, that of the person who connected"


@pytest.mark.proves("E21", "E23")
def test_portal_that_is_told_to_stop_removes_first_what_a_test_has_made() -> None:
    """No notification arrives here, so the test waits for its push; then its process is restarted."""
    overrides = {"ROOMSYNC_ENROLMENT": "closed", "ROOMSYNC_TEST_FLOW_S": "60"}
    with (
        start_system(
            engine="embedded", seed=7, servers={}, services=("room-status", "portal"), overrides=overrides
        ) as stage,
        httpx.Client(timeout=30.0) as ada,
    ):
        simulate(stage, "tenants", provider="google", name="Contoso", domain="x.test")
        user = simulate(stage, "users", tenant="x.test", name="Ada", address="ada@x.test")
        simulate(stage, f"users/{user['id']}/consents", granted=True)
        simulate(stage, "rooms", tenant="x.test", name="Room", address="room@x.test", capacity=4)
        appointed = ["--provider", "google", "--directory", "x.test", "--address", "ada@x.test"]
        run_command(["tenants", "admin", *appointed], stage.environ)
        confirm_candidate(stage, "/auth/login?provider=google&for=sign-in&login_hint=ada@x.test")
        landed = go(ada, f"{stage.portal}/auth/login?provider=google&for=sign-in&login_hint=ada@x.test")
        csrf = re.search(r'name="csrf" value="([^"]+)"', landed.text)
        assert csrf is not None
        ada.post(f"{stage.portal}/admin/integration/test", data={"csrf": csrf.group(1), "provider": "google"})
        depart(ada, "google", stage.portal)
        wait(lambda: meetings_that_stand(stage))
        assert len(live(stage, "google")) == 1

        httpx.put(f"{stage.simulator}/sim/v1/faults", json={"latencyMs": [1200, 1200]}).raise_for_status()
        url, pid = stage.services.ready["portal"]
        os.kill(pid, signal.SIGTERM)
        wait(lambda: stage.services.ready["portal"] != (url, pid))

        assert meetings_that_stand(stage) == []
        assert live(stage, "google") == []
        found = ada.get(f"{stage.services.ready['portal'][0]}/v1/admin/integration").json()
        assert found["state"] == "failed"
        assert [each["code"] for each in found["test"]["troubles"]] == ["interrupted"]
        assert found["test"]["leftovers"] == 0


def confirm_candidate(stage: RunningSystem, path: str) -> None:
    """The appointed person signs in, without any right; the operator confirms them."""
    with httpx.Client(base_url=stage.portal, timeout=30.0) as client:
        go(client, path)
        assert client.get("/v1/admin/integration").status_code == 403
        lines = run_command(["tenants", "candidates", "--json"], stage.environ).splitlines()
        [found] = [json.loads(line) for line in lines]
        run_command(["tenants", "confirm", "--tenant", found["tenant"], "--account", found["account"]], stage.environ)
        assert client.get("/v1/admin/integration").status_code == 200


def meetings_that_stand(stage: RunningSystem) -> list[Any]:
    """Events that are not cancelled."""
    listed = httpx.get(f"{stage.simulator}/sim/v1/meetings").raise_for_status().json()["meetings"]
    return [each for each in listed if not each["cancelled"]]


def simulate(stage: RunningSystem, path: str, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = httpx.post(f"{stage.simulator}/sim/v1/{path}", json=body).raise_for_status().json()
    return found


def live(stage: RunningSystem, provider: str) -> list[Any]:
    answer = httpx.get(f"{stage.simulator}/sim/v1/subscriptions").raise_for_status().json()
    listed = answer if isinstance(answer, list) else answer["subscriptions"]
    return [each for each in listed if each["provider"] == provider]


def go(client: httpx.Client, path: str) -> httpx.Response:
    """As a browser goes: over the provider and back, each redirect in turn."""
    answer = client.get(path)
    while answer.is_redirect:
        answer = client.get(urljoin(str(answer.url), answer.headers["Location"]))
    return answer


def depart(client: httpx.Client, provider: str, portal: str = "") -> None:
    """Go to the provider for the test, with a change of ours, and come back."""
    token = {"X-CSRF-Token": client.get(f"{portal}/v1/admin/integration").json()["csrf"]}
    asked = client.post(f"{portal}/v1/admin/integration/test/depart", headers=token, json={"provider": provider})
    go(client, asked.raise_for_status().json()["location"])


def connect(stage: RunningSystem, provider: str, address: str) -> httpx.Response:
    with httpx.Client(base_url=stage.portal, timeout=30.0) as client:
        answer = go(client, f"/auth/login?provider={provider}&login_hint={address}")
        if answer.is_error:
            return answer
        token = {"X-CSRF-Token": client.get("/v1/me").json()["csrf"]}
        asked = client.post("/v1/me/calendar/connect", headers=token).raise_for_status()
        return go(client, asked.json()["location"])


def ended(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = wait(
        lambda: (it := client.get("/v1/admin/integration").json())["test"]["underWay"] is False and it
    )
    return found


def wait(holds: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return found
