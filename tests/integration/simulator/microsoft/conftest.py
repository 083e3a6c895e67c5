"""A simulator served on a free port with an organisation in it, and a receiver that listens."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from simulator.app import create_app
from simulator.world import ManualClock, World
from tests.integration.simulator.microsoft.office import NOW_MS, Office, PlainTokens, Receiver, eventually


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    return eventually


class Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing: the simulator keeps its own log of requests."""


@pytest.fixture
def office() -> Iterator[Office]:
    world = World(7, ManualClock(NOW_MS))
    app = create_app(world)
    world.identity = PlainTokens(world.identity)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    world.start()
    url = f"http://127.0.0.1:{server.server_port}"
    with httpx.Client(timeout=20) as http:
        made = Office(world, url, http, "", {}, {})
        made.tenant = made.sim("POST", "/tenants", {"provider": "microsoft", "name": "C", "domain": "contoso.test"})[
            "id"
        ]
        for name in ("ann", "bob"):
            body = {"tenant": made.tenant, "name": name.title(), "address": f"{name}@contoso.test"}
            setattr(made, name, made.sim("POST", "/users", body))
        yield made
    world.stop()
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = parse_qs(urlsplit(self.path).query)
            if "validationToken" in query:
                kept.handshakes.append(query["validationToken"][0])
                status, kind, text = kept.echo(query["validationToken"][0])
                self._say(status, kind, text.encode())
                return
            status = kept.answers.pop(0) if kept.answers else 202
            kept.posts.append({"path": self.path, **json.loads(raw)})
            self._say(status, "text/plain", b"")

        def _say(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    yield kept
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
