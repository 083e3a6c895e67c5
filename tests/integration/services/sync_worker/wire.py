"""A provider's HTTP interface in a test's hands: what each address answers, and what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    """What the provider says. `{base}` in a body is the server's own address."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Wire:
    """One server; `answer` is called with method and path with query."""

    url: str = ""
    answer: Callable[[str, str], Answer] = lambda _method, _path: Answer(500, {})
    asked: list[str] = field(default_factory=list)

    def count(self, method: str, part: str) -> int:
        """How often an address with `part` in it was asked."""
        return sum(line.startswith(method) and part in line for line in self.asked)


@contextmanager
def open_wire() -> Iterator[Wire]:
    """A server on loopback, until the block ends."""
    wire = Wire()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            wire.asked.append(f"{self.command} {self.path}")
            said = wire.answer(self.command, self.path)
            raw = json.dumps(said.body).encode().replace(b"{base}", wire.url.encode()) if said.body is not None else b""
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        wire.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield wire
        server.shutdown()
        thread.join()


def path_of(request: str) -> str:
    """The path of a request without its query."""
    return urlsplit(request).path
