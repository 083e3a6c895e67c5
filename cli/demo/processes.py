"""The stage of the demo: the simulator and the services as ordinary processes, found by the `ready` lines they print."""

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

Say = Callable[[str], None]

CLIENT_ID, CLIENT_SECRET = "roomsync", "simulated-secret"  # what the simulator registers by default
SERVICES = ("webhook-receiver", "sync-worker", "room-status", "portal")
READY_S = 60.0
STOP_S = 12.0


@dataclass(slots=True)
class Play:
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
            words = line.split()
            if len(words) == 4 and words[0] == "ready":  # noqa: PLR2004  # ready NAME URL PID
                self.ready[words[1]] = (words[2], int(words[3]))


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs: where the pages are, and the environment that other commands need."""

    simulator: str
    portal: str
    environ: Mapping[str, str]
    services: Play
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
def staged(
    *,
    engine: str,
    seed: int,
    servers: Mapping[str, str],
    services: Sequence[str] = SERVICES,
    overrides: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """
    Start simulator and services on free ports with a fresh data directory; stop everything on the way out.

    Args:
        engine: `embedded` or `kafka`.
        servers: Settings of running Kafka and Redis servers; empty for the embedded engine.
        services: Which services to run.
        overrides: Further settings, stronger than the stage's own.
    """
    home = Path(tempfile.mkdtemp(prefix="roomsync-demo-"))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ROOMSYNC_")}
    environ |= {"ROOMSYNC_HOME": str(home / "data"), "ROOMSYNC_ENGINE": engine, **servers}
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
        yield Stage(address, addresses.get("portal", ""), environ, running, home)


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


def _start(stack: contextlib.ExitStack, home: Path, name: str, command: list[str], environ: Mapping[str, str]) -> Play:
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
    play = Play(name, process, log)
    stack.callback(_stop, play)
    play.reader = threading.Thread(target=play.follow, daemon=True)
    play.reader.start()
    return play


def _wait(play: Play, service: str) -> str:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if service in play.ready:
            return play.ready[service][0]
        if play.process.poll() is not None:
            break
        time.sleep(0.02)
    message = f"{service} did not become ready; its last words, from {play.log}:\n{play.log.read_text()[-2000:]}"
    raise RuntimeError(message)


def _stop(play: Play) -> None:
    if play.process.poll() is None:
        play.process.send_signal(signal.SIGTERM)
        try:
            play.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(play.process.pid, signal.SIGKILL)
            play.process.wait()
    if play.reader:
        play.reader.join()
