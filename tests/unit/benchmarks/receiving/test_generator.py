"""The generator of the load sends whole requests, counts what comes back, and gives up no answer unseen."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

BODY = '{"value": []}'
STATUSES = (202, 503)


class Answering(BaseHTTPRequestHandler):
    """Takes every other push, and closes the connection of those that it does not."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, body))
        status = STATUSES[len(self.seen) % 2]
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.send_header("Connection", "close" if status == 503 else "keep-alive")
        self.end_headers()
        self.wfile.write(b"text")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Answering.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("rate", "seconds"), [("100", "0.3"), ("3000", "0.01"), ("0", "0.3")])
def test_what_was_sent_is_what_was_answered(url: str, tmp_path: Path, rate: str, seconds: str) -> None:
    """Also what is still to be sent when the time is over, on connections that are opened in the place of closed ones."""
    pushes = tmp_path / "pushes"
    pushes.write_text(json.dumps({"path": "/hooks/graph", "headers": {"X-A": "b"}, "body": BODY}) + "\n")
    words = [url, str(pushes), "--rate", rate, "--seconds", seconds, "--connections", "4"]
    printed = subprocess.run(
        [sys.executable, "-m", "benchmarks.receiving.generator", *words], check=True, capture_output=True, text=True
    ).stdout

    outcome = json.loads(printed)
    answered = {status: len(outcome["answers"][status]) for status in ("202", "503")}
    assert sum(answered.values()) == len(Answering.seen) >= (4 if rate == "0" else 30)
    assert abs(answered["202"] - answered["503"]) <= 1
    assert (outcome["broken"], outcome["unanswered"]) == (0, 0)
    assert set(Answering.seen) == {("/hooks/graph", BODY.encode())}


def test_the_comparison_says_how_it_is_used() -> None:
    command = [sys.executable, "-m", "benchmarks.bench_receivers", "--help"]
    assert "--rounds" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
