"""A simulator process, a person signed in at each provider, and the clients that call it as them."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx
import pytest

from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS, to_rfc3339
from shared.domain.sighting import Access, SubscriptionRequest, Window
from shared.grants.oauth import scopes_for
from shared.ports.calendar import CalendarProvider
from shared.providers.catalogue import calendar_providers
from shared.runtime.settings import Settings
from tests.support.processes import start_simulator

DEADLINE_S = 20.0
T = TypeVar("T")


@dataclass
class Simulator:
    """The control API of a running simulator."""

    url: str
    http: httpx.Client

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.http.request(method, f"{self.url}/sim/v1/{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def now_ms(self) -> int:
        return int(self.ask("GET", "clock")["nowMs"])


@dataclass
class Hooks:
    """A receiver of the simplest kind: proves itself to Graph and counts what comes."""

    url: str
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def heard(self, path: str) -> list[dict[str, str]]:
        return [headers for at, headers, _ in self.got if at == path]


@dataclass
class Person:
    """Somebody signed in, their client, and what of the simulator is theirs."""

    provider: Provider
    calendar: CalendarProvider
    access: Access
    simulator: Simulator
    user: str
    tenant: str
    domain: str
    hooks: Hooks
    token_answer: bytes
    """What the token endpoint said when they signed in."""

    def room(self, name: str, **rules: object) -> str:
        """Make a room; returns its address."""
        address = f"{name.lower()}@{self.domain}"
        body = {"tenant": self.tenant, "name": name, "address": address, "capacity": 6, "building": "HQ", "floor": "1"}
        self.simulator.ask("POST", "rooms", {**body, "rules": {"delayMs": [0, 50], **rules}})
        return address

    def meeting(self, *rooms: str, days: float = 2, **more: object) -> dict[str, Any]:
        """Book a meeting of one hour, some whole hour from now."""
        start_ms = (self.simulator.now_ms() // HOUR_MS + round(days * 24)) * HOUR_MS
        times = {"start": to_rfc3339(start_ms), "end": to_rfc3339(start_ms + HOUR_MS)}
        body = {"organizer": self.user, "title": "MARKER", "rooms": list(rooms), "attendees": [], **times, **more}
        made: dict[str, Any] = self.simulator.ask("POST", "meetings", body)
        return {**made, "startMs": start_ms, "endMs": start_ms + HOUR_MS}

    def window(self) -> Window:
        now_ms = self.simulator.now_ms()
        return Window(now_ms - DAY_MS, now_ms + 60 * DAY_MS)

    def subscription_request(self, hours: float = 24) -> SubscriptionRequest:
        path = "graph" if self.provider is Provider.MICROSOFT else "google"
        return SubscriptionRequest(
            channel_id=uuid.uuid4().hex,
            client_state="proof",
            notification_url=f"{self.hooks.url}/hooks/{path}",
            lifecycle_url=f"{self.hooks.url}/hooks/{path}/lifecycle",
            expires_at_ms=self.simulator.now_ms() + int(hours * HOUR_MS),
        )


def eventually(probe: Callable[[], T | None], what: str) -> T:
    """Ask until there is an answer; fails after twenty seconds."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {DEADLINE_S} s")


@pytest.fixture(scope="session")
def wait_for() -> Callable[[Callable[[], T | None], str], T]:
    return eventually


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    with start_simulator(environ) as process, httpx.Client(timeout=10) as http:
        yield Simulator(process.url, http)


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    received = Hooks("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = parse_qs(urlsplit(self.path).query)
            answer = query["validationToken"][0].encode() if "validationToken" in query else b""
            if not answer:
                received.got.append((unquote_plus(urlsplit(self.path).path), dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield received
        server.shutdown()
        thread.join()


def settings_for(simulator: Simulator) -> Settings:
    return Settings(
        microsoft_client_id="roomsync",
        microsoft_client_secret="simulated-secret",
        microsoft_login_url=f"{simulator.url}/microsoft/login",
        microsoft_graph_url=f"{simulator.url}/microsoft/graph/v1.0",
        google_client_id="roomsync",
        google_client_secret="simulated-secret",
        google_auth_url=f"{simulator.url}/google/o/oauth2/v2/auth",
        google_token_url=f"{simulator.url}/google/token",
        google_calendar_url=f"{simulator.url}/google/calendar/v3",
        google_directory_url=f"{simulator.url}/google",
        call_timeout_s=10.0,
    )


@pytest.fixture(scope="session")
def settings(simulator: Simulator) -> Settings:
    return settings_for(simulator)


def sign_in(
    settings: Settings, provider: Provider, address: str, *, writes: bool = True, room_import: bool = False
) -> bytes:
    """The whole code flow of somebody who has consented beforehand; returns the token endpoint's answer."""
    redirect = "http://127.0.0.1:9/auth/callback"
    microsoft = provider is Provider.MICROSOFT
    root = f"{settings.microsoft_login_url}/organizations/oauth2/v2.0"
    asked = {
        "client_id": "roomsync",
        "response_type": "code",
        "redirect_uri": redirect,
        "scope": " ".join(scopes_for(provider, writes=writes, room_import=room_import)),
        "state": "s",
        "nonce": "n",
        "login_hint": address,
        **({} if microsoft else {"access_type": "offline"}),
    }
    with httpx.Client(timeout=10) as http:
        there = http.get(f"{root}/authorize" if microsoft else settings.google_auth_url, params=asked)
        assert there.status_code == 302, f"{there.status_code}: {there.text[:500]}"
        code = parse_qs(urlsplit(there.headers["Location"]).query)["code"][0]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": "roomsync",
            "client_secret": "simulated-secret",
        }
        token = http.post(f"{root}/token" if microsoft else settings.google_token_url, data=form)
        assert token.status_code == 200, token.text
        return token.content


@pytest.fixture(params=[Provider.MICROSOFT, Provider.GOOGLE], ids=lambda provider: provider.value)
def person(request: pytest.FixtureRequest, simulator: Simulator, settings: Settings, hooks: Hooks) -> Iterator[Person]:
    provider: Provider = request.param
    domain = f"{uuid.uuid4().hex[:10]}.example"
    tenant = simulator.ask("POST", "tenants", {"provider": provider.value, "name": "Contoso", "domain": domain})["id"]
    address = f"ana@{domain}"
    user = simulator.ask("POST", "users", {"tenant": tenant, "name": "Ana", "address": address})["id"]
    simulator.ask("POST", f"users/{user}/consents", {"granted": True})
    answer = sign_in(settings, provider, address)
    calendars = calendar_providers(settings)
    calendar = calendars[provider]
    access = Access(json.loads(answer)["access_token"], user, address)
    yield Person(provider, calendar, access, simulator, user, tenant, domain, hooks, answer)
    simulator.ask("PUT", "faults", {"reset": True})
    with contextlib.suppress(AttributeError):
        calendar.close()  # type: ignore[attr-defined]
