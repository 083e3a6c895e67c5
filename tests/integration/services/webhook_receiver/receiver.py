"""A receiver as a process of its own, its log as a reader sees it, and requests with valid proof."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from shared.contracts import envelope
from shared.contracts.change_notification import ChangeNotification
from shared.contracts.topics import COMMANDS
from shared.crypto.master import new_key, parse
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys, mint
from shared.ports.log import Record
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.support.processes import start

TENANT = "t-0000000000000001"
TIMEOUT_S = 10.0
_NO_PROVIDERS = {
    f"ROOMSYNC_{name}_URL": "http://127.0.0.1:9"
    for name in (
        "MICROSOFT_LOGIN", "MICROSOFT_GRAPH", "GOOGLE_AUTH", "GOOGLE_TOKEN", "GOOGLE_CALENDAR", "GOOGLE_DIRECTORY"
    )
}  # fmt: skip
"""The receiver speaks to none; crash points ask that every address is loopback."""
_PASSED_ON = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(slots=True)
class Deployment:
    """Settings that test and process share."""

    home: Path
    master: str = field(default_factory=new_key)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The process's whole environment."""
        own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        ours = {"ROOMSYNC_HOME": str(self.home), "ROOMSYNC_MASTER_KEY": self.master, "ROOMSYNC_RECEIVER_PORT": "0"}
        return own | ours | _NO_PROVIDERS | self.extra

    @property
    def keys(self) -> HookKeys:
        """What signs client states."""
        return parse(self.master).hook_keys()

    def records(self, topic: str) -> list[Record]:
        """Everything committed on a topic."""
        engine = open_engine(load(self.environ))
        try:
            return [
                record
                for partition in range(engine.log.partitions)
                for record in engine.log.read(topic, partition, 0, limit=100_000)
            ]
        finally:
            engine.close()

    def hints(self, topic: str) -> list[ChangeNotification]:
        """The hints on a topic."""
        return [
            envelope.payload_of(envelope.decode(record.value or b""), ChangeNotification)
            for record in self.records(topic)
        ]

    def gaps(self) -> list[Record]:
        """What stands on `commands`."""
        return self.records(COMMANDS.name)

    def graph_body(self, *subscriptions: str, mailbox: str = "m-ada", proven: bool = True) -> bytes:
        """A batch of one item per subscription id."""
        state = mint(self.keys, Mailbox(TENANT, mailbox), Provider.MICROSOFT) if proven else "guess"
        items = [{"subscriptionId": name, "changeType": "updated", "clientState": state} for name in subscriptions]
        return json.dumps({"value": items}).encode()

    def google_headers(self, channel: str, state: str = "exists", *, made_for: str = "") -> dict[str, str]:
        """A channel message; its token is for `channel` unless said otherwise."""
        token = mint(self.keys, Mailbox(TENANT, "m-ada"), Provider.GOOGLE, made_for or channel)
        return {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": token, "X-Goog-Resource-State": state}


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """The running process."""

    process: subprocess.Popen[str]
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for tests that speak to the socket."""
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def post(self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request("POST", path, body, dict(headers or {}))
            got = connection.getresponse()
            return Answer(got.status, dict(got.headers), got.read())

    def get(self, path: str) -> Answer:
        """One request."""
        connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request("GET", path)
            got = connection.getresponse()
            return Answer(got.status, dict(got.headers), got.read())

    def kill(self) -> None:
        """As a power cut does it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@contextlib.contextmanager
def running(deployment: Deployment) -> Iterator[Receiver]:
    """Start it, wait for its `ready` line, and stop it."""
    command = [sys.executable, "-m", "cli.main", "run", "webhook-receiver"]
    with start(command, "webhook-receiver", deployment.environ) as running:
        yield Receiver(running.process, running.url)


def eventually(holds: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)
