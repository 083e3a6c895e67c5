"""A receiver of webhooks in a process of its own: each path behaves as it is told, and everything that arrives is listed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.support.processes import start

HIDDEN = "/-/"
"""Where the tests speak to it."""


class _State:
    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.got: list[dict[str, Any]] = []
        self.manners: dict[str, dict[str, Any]] = {}


STATE = _State()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """What has arrived after the first so many."""
        first = int(self.path.removeprefix(HIDDEN) or "0")
        with STATE.lock:
            self._answer(200, json.dumps(STATE.got[first:]).encode())

    def do_PUT(self) -> None:
        """How a path behaves from now on."""
        with STATE.lock:
            STATE.manners |= json.loads(self._body())
            self._answer(200)

    def do_POST(self) -> None:
        body = self._body()
        manner = STATE.manners.get(self.path.partition("?")[0], {})
        refused = self.headers.get("webhook-id") in manner.get("refuses", ())
        status = 0 if manner.get("hang_up") or manner.get("drips") else 422 if refused else manner.get("status", 204)
        arrived = {
            "path": self.path,
            "headers": dict(self.headers.items()),
            "body": body.decode(errors="surrogateescape"),
            "status": status,
        }
        with STATE.lock:
            STATE.got.append(arrived)
        time.sleep(manner.get("slow_s", 0.0))
        if manner.get("hang_up"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif manner.get("drips"):
            self._drip()
        else:
            self._answer(status, headers=manner.get("headers", {}))

    def _drip(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(600):
                self.wfile.write(b"H")
                time.sleep(0.1)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


@dataclass(frozen=True)
class Got:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: str
    status: int
    """What was answered; 0: nothing."""

    @property
    def raw(self) -> bytes:
        """The body's bytes, which need not be text."""
        return self.body.encode(errors="surrogateescape")

    @property
    def id(self) -> str:
        """Its `webhook-id`."""
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Receiver:
    """The running receiver."""

    url: str

    def behave(self, path: str, **manner: Any) -> None:
        """From now on: `status`, `headers`, `slow_s`, `hang_up`, `drips`, and `refuses`, ids."""
        httpx.put(f"{self.url}{HIDDEN}", json={path: manner}).raise_for_status()

    def got(self, path: str = "", *, after: int = 0) -> list[Got]:
        """What has arrived after the first so many requests, at one path or at all, in order."""
        found = [Got(**each) for each in httpx.get(f"{self.url}{HIDDEN}{after}").json()]
        return [each for each in found if path in {"", each.path, each.path.partition("?")[0]}]


@contextlib.contextmanager
def start_receiver(port: int = 0) -> Iterator[Receiver]:
    """Start it on loopback, at a port of its own or at this one."""
    with start([sys.executable, "-m", "tests.support.webhook_receiver", str(port)], "receiver") as running:
        yield Receiver(running.url)


def main() -> None:
    """Serve until the process ends."""
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler)
    server.daemon_threads = True
    server.socket.listen(100)  # the library's five are too few for all who come at once
    print(f"ready receiver http://127.0.0.1:{server.server_port} {os.getpid()}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
