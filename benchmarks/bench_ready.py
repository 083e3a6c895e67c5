"""
What a process costs until it can be used, on the embedded engine: `python -m benchmarks.bench_ready`.

Each service by itself, all of them under `roomsync run all`, and beside them a hello in Flask and an interpreter that does nothing,
in turns. *Ready* is the line that a service prints; */readyz* is when that address answers 200. Processor time, imports included,
is that of the process and of those below it at that moment. The data directory is there already, as at every start but the first.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.receiving.processes import cpu_s
from cli.demo.processes import simulator_environ
from cli.run import SERVICES
from shared.runtime.ready import Ready, parse_ready

ROUNDS = 3
WANTED_S = 1.0
NOTHING, HELLO, ALL = "python -c pass", "hello in Flask", "run all"


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in seconds."""

    ready_s: float
    answered_s: float
    cpu_s: float


def main() -> int:
    """Print a table, medians of the rounds with their spread; exit code 1 when a service takes longer than is wanted."""
    seen: dict[str, list[Start]] = {}
    with tempfile.TemporaryDirectory(prefix="roomsync-bench-") as home:
        environ = _environ(Path(home))
        for number in range(ROUNDS + 1):
            for name, found in _round(environ):
                if number:  # the first one makes the data directory and compiles what was not compiled yet
                    seen.setdefault(name, []).append(found)
    hello_s = statistics.median(each.cpu_s for each in seen[HELLO])
    print("| what | ready s | /readyz s | CPU s | CPU by hello's |\n| --- | --- | --- | --- | --- |")
    for name, starts in seen.items():
        ready, answered = _spread([each.ready_s for each in starts]), _spread([each.answered_s for each in starts])
        cpu = [each.cpu_s for each in starts]
        print(f"| {name} | {ready} | {answered} | {_spread(cpu)} | {statistics.median(cpu) / hello_s:.2f} |")
    return int(any(statistics.median(each.answered_s for each in seen[name]) > WANTED_S for name in SERVICES))


def _round(environ: Mapping[str, str]) -> Iterator[tuple[str, Start]]:
    yield NOTHING, _nothing(environ)
    yield HELLO, _started([sys.executable, "-m", "benchmarks.peers.hello_flask"], environ, 1)
    for name in SERVICES:
        yield name, _started([sys.executable, "-m", "cli.main", "run", name], environ, 1)
    yield ALL, _started([sys.executable, "-m", "cli.main", "run", "all"], environ, len(SERVICES))


def _nothing(environ: Mapping[str, str]) -> Start:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", "pass"], env=environ)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    took_s = time.perf_counter() - began
    return Start(took_s, took_s, used.ru_utime + used.ru_stime)


def _started(command: Sequence[str], environ: Mapping[str, str], count: int) -> Start:
    """Start it, wait until `count` services can be used, and stop it."""
    began = time.perf_counter()
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = [_next_ready(process.stdout) for _ in range(count)]
            ready_s = time.perf_counter() - began
            for each in ready:
                _await_answer(f"{each.url}/readyz")
            answered_s = time.perf_counter() - began
            return Start(ready_s, answered_s, cpu_s(process.pid))
        finally:
            process.terminate()


def _next_ready(lines: IO[str]) -> Ready:
    for line in lines:
        if ready := parse_ready(line):
            return ready
    message = "it ended before it was ready"
    raise SystemExit(message)


def _await_answer(url: str) -> None:
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.005)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _environ(home: Path) -> dict[str, str]:
    ports = dict.fromkeys(
        ("ROOMSYNC_RECEIVER_PORT", "ROOMSYNC_PORTAL_PORT", "ROOMSYNC_HEALTH_PORT", "ROOMSYNC_NOTIFIER_PORT"), "0"
    )
    addresses = simulator_environ(
        "http://127.0.0.1:9"
    )  # nobody is there, and nobody is asked before there is somebody to look at
    return {**os.environ, **addresses, **ports, "ROOMSYNC_HOME": str(home), "ROOMSYNC_LOG_LEVEL": "error"}


if __name__ == "__main__":
    sys.exit(main())
