"""Runs the simulator and the services as child processes, and finds their addresses by the `ready` lines they print."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from cli.common.environment_file import OFF, SWITCH
from shared.runtime.ready import parse_ready

PrintLine = Callable[[str], None]

CLIENT_ID, CLIENT_SECRET = "roomsync", "simulated-secret"  # what the simulator registers by default
SERVICES = ("webhook-receiver", "sync-worker", "room-status", "portal")
HOME_PREFIX = "roomsync-demo-"
READY_S = 60.0
STOP_S = 12.0


@dataclass(slots=True)
class ChildProcess:
    """One child process and the addresses it has announced."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    ready: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Service → address and process id, as last announced."""
    reader: threading.Thread | None = None

    def follow(self) -> None:
        """Read `ready` lines until the process ends."""
        with contextlib.closing(cast("IO[str]", self.process.stdout)) as lines:
            self._read(lines)

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            ready = parse_ready(line)
            if ready is not None:
                self.ready[ready.name] = (ready.url, ready.pid)


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """Everything that runs: where the pages are, and the environment that other commands need."""

    simulator: str
    portal: str
    environ: Mapping[str, str]
    services: ChildProcess
    logs: Path


def simulator_environ(simulator: str) -> dict[str, str]:
    """The settings that point the product at a simulator."""
    return {
        "ROOMSYNC_MICROSOFT_CLIENT_ID": CLIENT_ID,
        "ROOMSYNC_MICROSOFT_CLIENT_SECRET": CLIENT_SECRET,
        "ROOMSYNC_MICROSOFT_LOGIN_URL": f"{simulator}/microsoft/login",
        "ROOMSYNC_MICROSOFT_GRAPH_URL": f"{simulator}/microsoft/graph/v1.0",
        "ROOMSYNC_GOOGLE_CLIENT_ID": CLIENT_ID,
        "ROOMSYNC_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "ROOMSYNC_GOOGLE_AUTH_URL": f"{simulator}/google/o/oauth2/v2/auth",
        "ROOMSYNC_GOOGLE_TOKEN_URL": f"{simulator}/google/token",
        "ROOMSYNC_GOOGLE_CALENDAR_URL": f"{simulator}/google/calendar/v3",
        "ROOMSYNC_GOOGLE_DIRECTORY_URL": f"{simulator}/google",
    }


@contextlib.contextmanager
def start_system(
    *,
    engine: str,
    seed: int,
    servers: Mapping[str, str],
    services: Sequence[str] = SERVICES,
    overrides: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Iterator[RunningSystem]:
    """
    Start simulator and services on free ports with a fresh data directory; stop everything on the way out.

    Args:
        engine: `embedded` or `kafka`.
        servers: Settings of running Kafka and Redis servers; empty for the embedded engine.
        services: Which services to run.
        overrides: Further settings, stronger than the system's own.
        home: Directory for data and logs. Default: a new one, which stays.
    """
    home = home or Path(tempfile.mkdtemp(prefix=HOME_PREFIX))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ROOMSYNC_")}
    environ |= {"ROOMSYNC_HOME": str(home / "data"), "ROOMSYNC_ENGINE": engine, **servers}
    environ[SWITCH] = OFF  # a .env of whoever plays it is not about this system
    environ |= {"ROOMSYNC_RECEIVER_PORT": "0", "ROOMSYNC_PORTAL_PORT": "0"}
    with contextlib.ExitStack() as stack:
        simulator = _start(
            stack,
            home,
            "simulator",
            [*_roomsync("simulator"), "--port", "0", "--seed", str(seed)],
            environ | dict(overrides or {}),  # a test's clock is one for all
        )
        address = _wait(simulator, "simulator")
        environ |= simulator_environ(address) | dict(overrides or {})
        if engine == "kafka":
            run_command(["topics", "--apply"], environ)
        running = _start(stack, home, "services", _roomsync("run", *services), environ)
        addresses = {name: _wait(running, name) for name in services}
        yield RunningSystem(address, addresses.get("portal", ""), environ, running, home)


def run_command(arguments: list[str], environ: Mapping[str, str]) -> str:
    """Run `roomsync …` and return what it printed; raises RuntimeError with its error output."""
    done = subprocess.run(  # noqa: S603  # our own command
        _roomsync(*arguments), env=dict(environ), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"roomsync {' '.join(arguments)} failed ({done.returncode}): {done.stderr.strip()}"
        raise RuntimeError(message)
    return done.stdout


def _roomsync(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def _start(
    stack: contextlib.ExitStack, home: Path, name: str, command: list[str], environ: Mapping[str, str]
) -> ChildProcess:
    log = home / f"{name}.log"
    process = subprocess.Popen(  # noqa: S603  # our own command
        command,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=stack.enter_context(log.open("w")),
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    child = ChildProcess(name, process, log)
    stack.callback(_stop, child)
    child.reader = threading.Thread(target=child.follow, daemon=True)
    child.reader.start()
    return child


def _wait(child: ChildProcess, service: str) -> str:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if service in child.ready:
            return child.ready[service][0]
        if child.process.poll() is not None:
            break
        time.sleep(0.02)
    message = f"{service} did not become ready; its last words, from {child.log}:\n{child.log.read_text()[-2000:]}"
    raise RuntimeError(message)


def _stop(child: ChildProcess) -> None:
    if child.process.poll() is None:
        child.process.send_signal(signal.SIGTERM)
        try:
            child.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
    if child.reader:
        child.reader.join()
