"""The simulator on a free port, an office with rooms in it, and a receiver of push messages."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from werkzeug.serving import make_server

from simulator.app import create_app
from simulator.identity.model import AuthorizeRequest, SimulatedAccount
from simulator.world import RoomRules, World
from tests.integration.simulator.google.checked_http import CheckedHttp

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google.oauth2.credentials import Credentials
    from google_auth_httplib2 import AuthorizedHttp
    from googleapiclient.discovery import build

PREFIX = "https://www.googleapis.com/auth/"
WIDE = ("calendar.events", "calendar.freebusy")
OWNED = ("calendar.events.owned", "calendar.freebusy")
FAST = RoomRules(delay_ms=(50, 150))


@dataclass
class Received:
    """One push message."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def state(self) -> str:
        return self.headers["x-goog-resource-state"]

    @property
    def number(self) -> int:
        return int(self.headers["x-goog-message-number"])

    @property
    def channel(self) -> str:
        return self.headers["x-goog-channel-id"]


@dataclass
class Receiver:
    """Takes push messages; `answers` are the statuses it gives, the last one for ever."""

    url: str
    messages: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=lambda: [200])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, wanted: Callable[[list[Received]], bool], timeout_s: float = 10) -> list[Received]:
        """The messages as soon as they are as wanted; fails when the deadline passes."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self.lock:
                seen = list(self.messages)
            if wanted(seen):
                return seen
            assert time.monotonic() < deadline, [(one.state, one.number, one.channel) for one in seen]
            time.sleep(0.02)

    def take(self, message: Received) -> int:
        with self.lock:
            self.messages.append(message)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = made.take(Received(self.path, headers, body, time.monotonic()))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hooks/google")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@dataclass
class Office:
    """A running simulator with one Google organisation in it."""

    world: World
    url: str
    opened: list[CheckedHttp] = field(default_factory=list)

    def token(self, address: str, *scopes: str) -> str:
        """An access token as the token endpoint would issue it."""
        identity: Any = self.world.identity
        account = identity.account("google", address)
        assert isinstance(account, SimulatedAccount)
        asked = frozenset({"openid", *(PREFIX + scope for scope in scopes)})
        request = AuthorizeRequest("google", "roomsync", "http://127.0.0.1/cb", asked)
        issued = identity.redeem("google", identity.approve(request, account).value, request.redirect_uri, "")
        return str(issued.access.value)

    def http(self, address: str, *scopes: str) -> AuthorizedHttp:
        self.opened.append(CheckedHttp())
        return AuthorizedHttp(Credentials(self.token(address, *scopes)), http=self.opened[-1])

    def calendar(self, address: str, *scopes: str) -> Any:
        """The official client, its own Http (so one per thread), pointed here."""
        options = {"api_endpoint": f"{self.url}/google/calendar/v3/"}
        http = self.http(address, *(scopes or OWNED))
        return build("calendar", "v3", http=http, client_options=options)

    def directory(self, address: str, *scopes: str) -> Any:
        options = {"api_endpoint": f"{self.url}/google/"}
        return build("admin", "directory_v1", http=self.http(address, *scopes), client_options=options)


@pytest.fixture
def office() -> Iterator[Office]:
    world = World(seed=11)
    with world.lock:
        gadget = world.directory.add_tenant("google", "Gadget", "gadget.example")
        world.directory.add_user(gadget.id, "Bo", "bo@gadget.example", "Europe/Amsterdam")
        world.directory.add_user(gadget.id, "Cy", "cy@gadget.example", "Europe/Amsterdam")
        for number, name in enumerate(("Elm", "Oak")):
            address = f"{name.lower()}@resource.calendar.google.com"
            where = {"building": "HQ", "floor": str(number + 1), "capacity": 6 + number}
            world.directory.add_room(gadget.id, name, address, rules=FAST, **where)
    server = make_server("127.0.0.1", 0, create_app(world), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    world.start()
    made = Office(world, f"http://127.0.0.1:{server.server_port}")
    yield made
    for http in made.opened:
        http.close()
    world.stop()
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
