"""A simulator process, and a deployment of its own for each provider in which one person with a room is connected."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cli.probe.pushes import is_subscribed
from shared.contracts.command import Connect
from shared.contracts.rows import UserRow
from shared.crypto.master import new_key
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import HOUR_MS, to_rfc3339
from shared.grants.broker import ConsentBroker
from shared.grants.oauth import Granted
from shared.organisations.enrolment import enrol
from shared.registry.tables import users
from shared.runtime.clock import SystemClock
from shared.runtime.command_records import command_record
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.integration.shared.providers.conftest import Simulator, settings_for, sign_in
from tests.support.commands import Ran, run_roomsync, set_alone
from tests.support.paths import ROOT
from tests.support.processes import start_simulator

PATIENCE_S = "3"
START_S = 60.0


@dataclass
class Tenant:
    """An organisation in the simulator, and the settings of a deployment in which its one person is connected."""

    provider: Provider
    simulator: Simulator
    person: str
    user: str
    room: str
    settings: dict[str, str]
    mailbox: Mailbox

    def contradict(self, *keys: str) -> None:
        """Have the simulator contradict these beliefs, and no others."""
        self.simulator.ask("PUT", "faults", {"reset": True, "contradicts": list(keys)})

    def titles(self) -> list[str]:
        """Titles of what stands in the person's calendar."""
        agenda = self.simulator.ask("GET", f"users/{self.user}/calendar")["calendar"]
        return [each["title"] for each in agenda]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    with start_simulator(environ) as process, httpx.Client(timeout=10) as http:
        yield Simulator(process.url, http)


@pytest.fixture(scope="module")
def tenant_of(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Provider], Tenant]]:
    """Provider → its tenant, made once a module, with services that take its pushes."""
    made: dict[Provider, Tenant] = {}
    with ExitStack() as running:

        def find(provider: Provider) -> Tenant:
            if provider not in made:
                made[provider] = _tenant(provider, simulator, tmp_path_factory.mktemp(provider.value))
                running.enter_context(_services(made[provider]))
            return made[provider]

        yield find


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `roomsync probe` in the tenant's deployment."""

    def run(tenant: Tenant, *arguments: str, **settings: str) -> Ran:
        set_alone(monkeypatch, {**tenant.settings, **settings})
        patience = ("--patience-s", PATIENCE_S)
        return run_roomsync("probe", tenant.provider.value, "--room", tenant.room, *patience, *arguments)

    return run


def _tenant(provider: Provider, simulator: Simulator, home: Path) -> Tenant:
    domain = f"{uuid.uuid4().hex[:10]}.example"
    body = {"provider": provider.value, "name": "Contoso", "domain": domain}
    directory = simulator.ask("POST", "tenants", body)["id"]
    address, room = f"ana@{domain}", f"aquarium@{domain}"
    user = simulator.ask("POST", "users", {"tenant": directory, "name": "Ana", "address": address})["id"]
    simulator.ask("POST", f"users/{user}/consents", {"granted": True})
    rules = {"delayMs": [20, 60]}
    simulator.ask("POST", "rooms", {"tenant": directory, "name": "Aquarium", "address": room, "rules": rules})
    _meeting(simulator, user)
    settings = _settings(simulator, home)
    answer = sign_in(settings_for(simulator), provider, address)
    mailbox = _connect(settings, provider, directory, user, address, answer)
    return Tenant(provider, simulator, address, user, room, settings, mailbox)


def _meeting(simulator: Simulator, user: str) -> None:
    """Something of the person's own, which the probe has to leave alone."""
    at_ms = simulator.now_ms() // HOUR_MS * HOUR_MS + 48 * HOUR_MS
    times = {"start": to_rfc3339(at_ms), "end": to_rfc3339(at_ms + HOUR_MS)}
    simulator.ask("POST", "meetings", {"organizer": user, "title": "Her own", "rooms": [], "attendees": [], **times})


def _settings(simulator: Simulator, home: Path) -> dict[str, str]:
    of_simulator = settings_for(simulator)
    names = ("microsoft_client_id", "microsoft_client_secret", "microsoft_login_url", "microsoft_graph_url",
             "google_client_id", "google_client_secret", "google_auth_url", "google_token_url", "google_calendar_url",
             "google_directory_url")  # fmt: skip
    found = {f"ROOMSYNC_{name.upper()}": str(getattr(of_simulator, name)) for name in names}
    ports = {"ROOMSYNC_RECEIVER_PORT": "0", "ROOMSYNC_PORTAL_PORT": "0"}
    return {**found, **ports, "ROOMSYNC_HOME": str(home), "ROOMSYNC_MASTER_KEY": new_key()}


def _connect(
    environ: dict[str, str], provider: Provider, directory: str, subject: str, address: str, answer: bytes
) -> Mailbox:
    settings = load(environ)
    engine = open_engine(settings)
    tenant = enrol(engine.registry, engine.keyring, provider=provider.value, directory=directory, name="Contoso")
    keys = engine.keyring.keys(tenant)
    sealed = seal(keys.consent_key or b"", address.encode(), purpose=f"user/{tenant}/u-ana")
    row = UserRow(
        provider=provider.value,
        subject=subject,
        address_sealed=sealed,
        person=keys.person(address),
        mailbox=Mailbox(tenant, "m-ana").id,
    )
    users(engine.registry).put(tenant, "u-ana", row)
    tokens: dict[str, Any] = msgspec.json.decode(answer)
    granted = Granted(
        access_token=tokens["access_token"],
        expires_in_s=int(tokens["expires_in"]),
        refresh_token=tokens.get("refresh_token", ""),
        scopes=tuple(tokens["scope"].split()),
    )
    broker = ConsentBroker(engine.registry, engine.keyring, settings, SystemClock())
    mailbox = broker.store_grant(tenant, "u-ana", granted)
    broker.close()
    engine.log.append([command_record(mailbox, Connect(at_ms=SystemClock().now_ms()), engine.log.partitions)])
    engine.close()
    return mailbox


@contextmanager
def _services(tenant: Tenant) -> Iterator[None]:
    """The deployment's receiver and sync worker, until its person's calendar is subscribed to and after."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    command = [sys.executable, "-m", "cli.main", "run", "webhook-receiver", "sync-worker"]
    with subprocess.Popen(
        command, cwd=ROOT, env={**kept, **tenant.settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_until_subscribed(process, tenant)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_subscribed(process: subprocess.Popen[bytes], tenant: Tenant) -> None:
    """Wait for what the probe reads as well: that the provider has the subscription is no record of the deployment's yet."""
    engine = open_engine(load(tenant.settings))
    end = time.monotonic() + START_S
    with closing(engine):
        while not is_subscribed(engine, tenant.mailbox):
            assert process.poll() is None
            assert time.monotonic() < end, "the services did not subscribe"
            time.sleep(0.1)
