"""How fast the receiver answers a push at 50 a second, and how fast it says 503 when the log is away."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from cli.demo.processes import simulator_environ

RATE = 50
SECONDS = 20
SENDERS = 16
REFUSALS = 50
PROBED_S = 2.0  # a probe says within a second whether one partition or the whole log is away

Send = Callable[[int], tuple[int, float]]


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as home:
        environ = {
            **os.environ,
            **simulator_environ("http://127.0.0.1:9"),
            "ROOMSYNC_HOME": home,
            "ROOMSYNC_RECEIVER_PORT": "0",
            "ROOMSYNC_LOG_LEVEL": "error",
        }
        with receiver(environ) as url:
            pushes = [push for kind in ("graph", "google") for push in pushes_of(environ, kind)]
            send = sender_to(url, pushes)
            for number in range(20):
                send(number)  # first requests open connections and files
            _report("answers at 50/s", paced(send))
            with _log_locked(Path(home)):
                first = send(0)
                time.sleep(PROBED_S)
                _report("503 with the breaker open", [send(number) for number in range(REFUSALS)])
            print(f"the first 503, before the breaker opened: {first[0]} after {first[1] * 1000:.0f} ms")
    return 0


def paced(send: Send) -> list[tuple[int, float]]:
    """Send at `RATE` for `SECONDS`; the status and the seconds of each answer."""
    began = time.monotonic()

    def one(number: int) -> tuple[int, float]:
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        return send(number)

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(one, range(RATE * SECONDS)))


def sender_to(url: str, pushes: list[dict[str, object]]) -> Send:
    """A function that sends the numbered push on a connection of its own."""
    parts = urlsplit(url)

    def send(number: int) -> tuple[int, float]:
        push = pushes[number % len(pushes)]
        began = time.perf_counter()
        with contextlib.closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)) as connection:
            connection.request("POST", str(push["path"]), str(push["body"]), dict(push["headers"]))  # type: ignore[call-overload]
            answer = connection.getresponse()
            answer.read()
        return answer.status, time.perf_counter() - began

    return send


def _report(name: str, answers: list[tuple[int, float]]) -> None:
    took = sorted(seconds * 1000 for _, seconds in answers)
    statuses = sorted({status for status, _ in answers})
    p99 = took[int(len(took) * 0.99)]
    figures = f"p50 {statistics.median(took):.1f} ms, p99 {p99:.1f} ms, slowest {took[-1]:.1f} ms"
    print(f"{name}: {len(took)} requests, {statuses}; {figures}")


@contextlib.contextmanager
def receiver(environ: dict[str, str]) -> Iterator[str]:
    """Run a receiver; its address."""
    command = [sys.executable, "-m", "cli.main", "run", "webhook-receiver"]
    with subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2]
        process.terminate()


def pushes_of(environ: dict[str, str], kind: str) -> list[dict[str, object]]:
    """Requests with valid proof, as `roomsync trigger` prints them."""
    command = [sys.executable, "-m", "cli.main", "trigger", kind, "--synthetic", "--print", "--count", "25"]
    printed = subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in printed.splitlines()]


@contextlib.contextmanager
def _log_locked(home: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(home / "log.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


if __name__ == "__main__":
    sys.exit(main())
