"""An organisation before its integration is on: the real clients, the real receiver, and an administrator with a browser."""

from __future__ import annotations

import dataclasses
import html
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
from flask import Flask
from flask.testing import FlaskClient

from services.portal.deps import Deps
from services.webhook_receiver.app import HookHandler, make_app
from services.webhook_receiver.intake import Intake
from shared.contracts.rows import IntegrationState, RoomRow, TenantRow
from shared.crypto.master import new_key, parse
from shared.domain.identity import Provider
from shared.domain.keys import pseudonym
from shared.domain.roles import Role
from shared.engines.embedded import EmbeddedEngine, open_engine
from shared.grants.broker import ConsentBroker
from shared.grants.token_endpoint import TokenEndpoint
from shared.organisations.appointments import appoint_account
from shared.organisations.enrolment import enter_rooms, introduce
from shared.providers.catalogue import calendar_providers
from shared.registry import tables
from shared.runtime.breaker import Breaker
from shared.runtime.clock import SystemClock
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Simulator, settings_for
from tests.support.described_answers import described_portal
from tests.support.patience import PATIENCE_S


@dataclass
class Chief:
    """Somebody's browser, usually a subscription administrator's."""

    building: Building
    client: FlaskClient
    csrf: str = ""
    tenant: str = ""
    user: str = ""

    def follow(self, path: str) -> Any:
        """Go where `path` sends one, over the provider if need be, and back."""
        start = self.client.get(path)
        assert start.status_code == 302, start.text
        if start.headers["Location"].startswith("/"):
            return start
        back = urlsplit(self.building.simulator.follow(start.headers["Location"]))
        return self.client.get(f"{back.path}?{back.query}")

    def depart(self, provider: str, address: str) -> Any:
        """Press the button of the test's permissions, allow it as `address`, and come back."""
        asked = self.post("/admin/integration/test/depart", provider=provider)
        if asked.status_code != 200:
            return asked
        return self.client.get(way_back(self.building.simulator, led_to(asked.text), address))

    def sign_in(self, address: str, provider: str) -> Any:
        answer = self.follow(f"/auth/login?provider={provider}&for=sign-in&login_hint={address}")
        cookie = self.client.get_cookie("roomsync_session")
        if answer.status_code == 303 and cookie is not None:
            self.tenant = cookie.value.partition(".")[0]
            name = pseudonym(self.building.deps.session_key, "session", cookie.value)
            session = tables.sessions(self.building.engine.registry).get(self.tenant, name)
            assert session is not None
            self.csrf, self.user = session.csrf, session.user
        return answer

    def connect(self) -> Any:
        """Turn the switch of the profile on, and come back from the provider."""
        asked = self.call("POST", "/v1/me/calendar/connect")
        assert asked.status_code == 200, asked.text
        back = urlsplit(self.building.simulator.follow(asked.json["location"]))
        return self.client.get(f"{back.path}?{back.query}")

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={"csrf": self.csrf, **form})

    def call(self, method: str, path: str, **body: Any) -> Any:
        return self.client.open(path, method=method, json=body, headers={"X-CSRF-Token": self.csrf})

    @property
    def integration(self) -> dict[str, Any]:
        answer = self.client.get("/v1/admin/integration")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    def test(self, provider: str, address: str) -> dict[str, Any]:
        """Toggle, give the permission, wait for the result."""
        begun = self.call("POST", "/v1/admin/integration/test", provider=provider)
        assert begun.status_code == 202, begun.text
        answer = self.depart(provider, address)
        assert answer.headers["Location"] == "/admin/integration/test/result", answer.text
        return self.result()

    def result(self) -> dict[str, Any]:
        until(lambda: not self.integration["test"]["underWay"], "the end of the test")
        found: dict[str, Any] = self.integration
        return found


@dataclass
class Building:
    """Portal and receiver of one deployment, nothing enrolled."""

    simulator: Simulator
    engine: EmbeddedEngine
    deps: Deps
    app: Flask

    def browser(self) -> Chief:
        return Chief(self, self.app.test_client())

    def tenant(self, provider: str, directory: str, chief: str, role: Role = Role.SUBSCRIPTION_ADMIN) -> str:
        """Known, off, and with an administrator who was appointed by their account."""
        registry, keyring = self.engine.registry, self.engine.keyring
        tenant = introduce(registry, keyring, provider=provider, directory=directory, name="Contoso")
        account = account_of(self.simulator, chief)
        appoint_account(registry, keyring, tenant, self.row(tenant), Provider(provider), account, role)
        return tenant

    def row(self, tenant: str) -> TenantRow:
        row = tables.tenants(self.engine.registry).get(tenant, "tenant")
        assert row is not None
        return row

    def state(self, tenant: str) -> IntegrationState:
        return self.row(tenant).integration

    def enter_room(self, tenant: str, address: str) -> str:
        row = RoomRow(address=address, name="Room", paired=False)
        enter_rooms(self.engine.registry, self.engine.keyring, tenant, [row])
        return self.engine.keyring.keys(tenant).room(address)

    def signed_in(self, address: str, provider: str) -> Chief:
        chief = self.browser()
        answer = chief.sign_in(address, provider)
        assert answer.status_code == 303, answer.text
        return chief


@contextmanager
def a_building(home: Path, simulator: Simulator, **overrides: Any) -> Iterator[Building]:
    """Open one; `overrides` are settings."""
    clock, master = SystemClock(), parse(new_key())
    engine = open_engine(home, partitions=2, prefix="", master=master, clock=clock)
    breaker = Breaker("log", engine.log.probe)
    receiver = serve_in_background(
        make_app(HookHandler(Intake(lambda: engine.log, 2, clock, breaker), master.hook_keys(), clock), {}),
        "webhook-receiver",
        threads=4,
        ready=False,
    )
    settings = dataclasses.replace(
        settings_for(simulator.url),
        **{"home": home, "enrolment": "closed", "hooks_url": receiver.url, "test_flow_s": 15.0, **overrides},
    )
    endpoint = TokenEndpoint(settings.call_timeout_s)
    deps = Deps(
        settings=settings,
        engine=engine,
        clock=clock,
        broker=ConsentBroker(engine.registry, engine.keyring, settings, clock, endpoint),
        providers=calendar_providers(settings),
        session_key=master.session_key(),
        hook_keys=master.hook_keys(),
    )
    app = described_portal(deps)
    try:
        yield Building(simulator, engine, deps, app)
    finally:
        deps.stop.set()
        app.extensions["test-flow"].wait(PATIENCE_S)
        for provider in Provider:
            deps.providers[provider].close()  # type: ignore[attr-defined]  # the real clients have it
        endpoint.close()
        receiver.close()
        breaker.close()
        engine.close()


def truth(simulator: Simulator, what: str) -> list[dict[str, Any]]:
    """What the simulator knows: `subscriptions`, `meetings`, `requests`."""
    answer = httpx.get(f"{simulator.url}/sim/v1/{what}").raise_for_status().json()
    found: list[dict[str, Any]] = answer if isinstance(answer, list) else answer[what]
    return found


def led_to(page: str) -> str:
    """Where the page that leads on to a provider leads."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def way_back(simulator: Simulator, location: str, address: str) -> str:
    """The path of ours to which the provider sends one back who chose the account `address` there."""
    parts = urlsplit(location)
    asked = dict(parse_qsl(parts.query)) | {"login_hint": address}
    back = urlsplit(simulator.follow(parts._replace(query=urlencode(asked)).geturl()))
    return f"{back.path}?{back.query}"


def account_of(simulator: Simulator, address: str) -> str:
    """The directory's id of the account that has `address`: `oid` at Microsoft, `sub` at Google."""
    [found] = [each["id"] for each in truth(simulator, "users") if each["address"] == address]
    return str(found)


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)
    return found


def asked_scopes(location: str) -> list[str]:
    """The permissions in an authorisation redirect."""
    return parse_qs(urlsplit(location).query)["scope"][0].split()


PROVIDERS = [Provider.MICROSOFT.value, Provider.GOOGLE.value]
