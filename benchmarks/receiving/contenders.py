"""Ours and the peers as processes: each is built when it is first asked for, started, and awaited until it takes a push."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.processes import HOST, Child, free_ports
from shared.contracts.topics import NOTIFICATIONS_GRAPH
from shared.domain.proof import HookKeys

PEERS = Path(__file__).parents[1] / "peers"
CACHE = Path(".cache/peers")
OURS = "roomsync"
FASTAPI = "FastAPI + aiokafka"
FLASK = "Flask + gunicorn + confluent-kafka"
GO = "Go net/http + franz-go"
_READY_S = 30.0


class MissingToolError(RuntimeError):
    """A peer cannot be built here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A receiver by name, and how it is started on a port."""

    name: str
    command: Callable[[int], list[str]]
    environ: Mapping[str, str]
    directory: Path


def our_receiver(environ: Mapping[str, str]) -> Contender:
    """Roomsync's, as `roomsync run webhook-receiver`."""

    def command(port: int) -> list[str]:
        return ["env", f"ROOMSYNC_RECEIVER_PORT={port}", sys.executable, "-m", "cli.main", "run", "webhook-receiver"]

    return Contender(OURS, command, environ, Path.cwd())


def peer_receivers(bootstrap: str, keys: HookKeys) -> Iterator[Contender | MissingToolError]:
    """Yield the peers that can be built here; for one that cannot, why."""
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "PEER_BOOTSTRAP": bootstrap,
        "PEER_TOPIC": NOTIFICATIONS_GRAPH.name,
        "PEER_KEY_ID": keys.current,
        "PEER_KEY": base64.urlsafe_b64encode(keys.ring[keys.current]).decode(),
    }
    for make in (_fastapi, _flask, _go):
        try:
            yield make(environ)
        except MissingToolError as error:
            yield error


def _fastapi(environ: Mapping[str, str]) -> Contender:
    python = _python()
    words = [str(python), "-m", "uvicorn", "fastapi_aiokafka:app", "--no-access-log", "--log-level", "warning"]
    return Contender(FASTAPI, lambda port: [*words, "--host", HOST, "--port", str(port)], environ, PEERS)


def _flask(environ: Mapping[str, str]) -> Contender:
    python = _python()
    words = [str(python), "-m", "gunicorn", "flask_confluent:app", "-k", "gthread", "-w", "2", "--threads", "32"]
    return Contender(FLASK, lambda port: [*words, "-b", f"{HOST}:{port}", "--log-level", "warning"], environ, PEERS)


def _go(environ: Mapping[str, str]) -> Contender:
    go = shutil.which("go", path=f"{os.environ.get('PATH', '')}:/usr/local/go/bin")
    if go is None:
        message = f"{GO}: Go is not here; install Go 1.26 or later to have it in the comparison"
        raise MissingToolError(message)
    binary = (CACHE / "receiver-go").absolute()
    binary.parent.mkdir(parents=True, exist_ok=True)
    _build([go, "build", "-o", str(binary), "."], PEERS / "go", GO)
    return Contender(GO, lambda port: [str(binary), f"{HOST}:{port}"], environ, PEERS)


def _python() -> Path:
    """The interpreter of the Python peers' own environment, made anew when their requirements change."""
    python, stamp = (CACHE / "python/bin/python").absolute(), CACHE / "python/requirements.txt"
    wanted = (PEERS / "requirements.txt").read_text()
    if not (stamp.exists() and stamp.read_text() == wanted):
        venv.create(CACHE / "python", with_pip=True, clear=True)
        _build([str(python), "-m", "pip", "install", "-q", "-r", str(PEERS / "requirements.txt")], Path.cwd(), FASTAPI)
        stamp.write_text(wanted)
    return python


def _build(command: list[str], directory: Path, name: str) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{name}: it cannot be built here: {done.stderr.strip()[-300:]}"
        raise MissingToolError(message)


@dataclass(frozen=True, slots=True)
class Running:
    """A receiver that takes pushes."""

    url: str
    pid: int


@contextlib.contextmanager
def started(contender: Contender, push: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Run a receiver until it takes `push`; end it on leaving."""
    port = free_ports(1)[0]
    child = Child(_with_environ(contender, port), log, cwd=contender.directory)
    url = f"http://{HOST}:{port}"
    try:
        child.wait_until(lambda: _takes(url, push), _READY_S)
        yield Running(url, child.pid)
    finally:
        child.stop()


def _with_environ(contender: Contender, port: int) -> list[str]:
    words = [f"{name}={value}" for name, value in contender.environ.items()]
    return ["env", "-i", *words, *contender.command(port)]


def _takes(url: str, push: Mapping[str, str]) -> bool:
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)) as connection:
        try:
            connection.request("POST", push["path"], push["body"], dict(push["headers"]))  # type: ignore[call-overload]
            return connection.getresponse().status == 202
        except OSError:
            time.sleep(0.1)
            return False
