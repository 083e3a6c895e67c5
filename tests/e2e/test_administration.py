"""An organisation from nothing to enabled, on the running system: appointed by command, tested, and nobody connected by it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from cli.stage import Stage, run_command, staged

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    overrides = {"ROOMSYNC_ENROLMENT": "closed", "ROOMSYNC_TEST_FLOW_S": "20"}
    with staged(engine="embedded", seed=7, servers={}, overrides=overrides) as found:
        yield found


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.proves("E14", "E15", "E16", "E18", "E20")
def test_administrator_tests_the_integration_and_people_may_then_connect(stage: Stage, provider: str) -> None:
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

    with httpx.Client(base_url=stage.portal, timeout=30.0) as ada:
        landed = go(ada, f"/auth/login?provider={provider}&for=sign-in&login_hint=ada@{domain}")
        assert landed.url.path == "/admin/integration"
        assert connect(stage, provider, f"ben@{domain}").status_code == 403, "nobody connects before the test"
        csrf = re.search(r'name="csrf" value="([^"]+)"', landed.text)
        assert csrf is not None
        ada.post("/admin/integration/test", data={"csrf": csrf.group(1), "provider": provider})
        assert ada.get("/v1/admin/integration").json()["state"] == "testing"
        go(ada, f"/auth/login?provider={provider}&for=test&login_hint=ada@{domain}")
        found = ended(ada)

        assert found["test"]["troubles"] == []
        assert found["state"] == "enabled"
        assert "Users may now connect" in ada.get("/admin/integration/test/result").text
    assert live(stage, provider) == [], "nobody is connected by it"
    assert connect(stage, provider, f"ben@{domain}").status_code == 200
    assert wait(lambda: live(stage, provider)), "one subscription, that of the person who connected"


def simulate(stage: Stage, path: str, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = httpx.post(f"{stage.simulator}/sim/v1/{path}", json=body).raise_for_status().json()
    return found


def live(stage: Stage, provider: str) -> list[Any]:
    answer = httpx.get(f"{stage.simulator}/sim/v1/subscriptions").raise_for_status().json()
    listed = answer if isinstance(answer, list) else answer["subscriptions"]
    return [each for each in listed if each["provider"] == provider]


def go(client: httpx.Client, path: str) -> httpx.Response:
    """As a browser goes: over the provider and back, each redirect in turn."""
    answer = client.get(path)
    while answer.is_redirect:
        answer = client.get(urljoin(str(answer.url), answer.headers["Location"]))
    return answer


def connect(stage: Stage, provider: str, address: str) -> httpx.Response:
    with httpx.Client(base_url=stage.portal, timeout=30.0) as client:
        return go(client, f"/auth/login?provider={provider}&login_hint={address}")


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
