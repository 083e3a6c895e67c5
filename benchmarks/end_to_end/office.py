"""The system under test as processes on real servers, with people whose calendars are made up."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from benchmarks.end_to_end.calendars import GRANTED, ROOM, Counts, uid_of
from deploy.local.processes import free_ports
from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.command import Connect
from shared.contracts.envelope import Envelope
from shared.contracts.rows import RoomRow, UserRow
from shared.contracts.topics import COMMANDS
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.domain.proof import HookKeys
from shared.grants.broker import ConsentBroker
from shared.organisations.enrolment import enrol, enter_rooms
from shared.ports.log import NewRecord
from shared.registry.tables import consents, users
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load
from shared.runtime.supervisor import Supervisor
from shared.runtime.wiring import master_keys, open_engine

RECEIVER = "webhook-receiver"
NOWHERE = "http://127.0.0.1:9"
CONNECTED_S = 60.0


class Office:
    """One organisation of so many people, all connected."""

    def __init__(self, environ: Mapping[str, str], people: int, counts: Counts) -> None:
        """Enrols it; the workers need not run yet."""
        self.settings = load(environ)
        self.engine = open_engine(self.settings)
        self.hook_keys: HookKeys = master_keys(self.settings).hook_keys()
        self._counts = counts
        registry, keyring = self.engine.registry, self.engine.keyring
        self.tenant = enrol(registry, keyring, provider="microsoft", directory=uuid.uuid4().hex, name="Contoso")
        self.keys = keyring.keys(self.tenant)
        enter_rooms(registry, keyring, self.tenant, [RoomRow(address=ROOM, name="Aare")])
        self.mailboxes = [Mailbox(self.tenant, f"m-{number}") for number in range(people)]
        broker = ConsentBroker(registry, keyring, self.settings, SystemClock())
        for number in range(people):
            self._enter(broker, number)

    def connect(self) -> None:
        """Everybody; returns when the worker has looked at every calendar once."""
        now_ms = int(time.time() * 1000)
        self.engine.log.append([self._command_record(mailbox, Connect(at_ms=now_ms)) for mailbox in self.mailboxes])
        deadline_s = time.monotonic() + CONNECTED_S
        rows = consents(self.engine.registry)
        while not all((row := rows.get(self.tenant, one.id)) and row.first_look_at_ms for one in self.mailboxes):
            if time.monotonic() > deadline_s:
                message = "the worker never looked at every calendar"
                raise RuntimeError(message)
            time.sleep(0.2)

    def decline(self, person: int) -> bytes:
        """One more room says no in that person's calendar; returns the key that the decline event will have."""
        number = self._counts[person]
        self._counts[person] = number + 1
        meeting = self.keys.meeting(Provider.MICROSOFT, uid_of(person, number))
        return f"{self.tenant}/{meeting}".encode()

    def close(self) -> None:
        """Release connections."""
        self.engine.close()

    def _enter(self, broker: ConsentBroker, number: int) -> None:
        address, user = f"person{number}@contoso.test", f"u-{number}"
        sealed = seal(self.keys.consent_key or b"", address.encode(), purpose=f"user/{self.tenant}/{user}")
        row = UserRow(
            provider="microsoft", subject=str(number), address_sealed=sealed, person=self.keys.person(address),
            mailbox=f"m-{number}",
        )  # fmt: skip
        users(self.engine.registry).put(self.tenant, user, row)
        broker.store_grant(self.tenant, user, GRANTED)

    def _command_record(self, mailbox: Mailbox, wish: Connect) -> NewRecord:
        envelope = Envelope(
            id=uuid.uuid4().hex, type=command.TYPE, tenant=self.tenant, payload=msgspec.Raw(msgspec.json.encode(wish))
        )
        partition = partition_of(mailbox.key, self.settings.partitions)
        return NewRecord(COMMANDS.name, partition, mailbox.key, envelopes.encode(envelope))


@contextlib.contextmanager
def services(environ: Mapping[str, str], counts_file: Path) -> Iterator[dict[str, list[str]]]:
    """Receiver, sync-worker and room-status, a process each, restarted when they die; yields the addresses they announced."""
    python = [sys.executable, "-m"]
    commands = {
        RECEIVER: [*python, "cli.main", "run", RECEIVER],
        "sync-worker": [*python, "benchmarks.end_to_end.calendars", str(counts_file)],
        "room-status": [*python, "cli.main", "run", "room-status"],
    }
    announced: dict[str, list[str]] = {name: [] for name in commands}
    stop = threading.Event()
    supervisor = Supervisor(commands, environ, lambda name, url, _: announced[name].append(url))
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        deadline_s = time.monotonic() + CONNECTED_S
        while not all(announced.values()) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        yield announced
    finally:
        stop.set()
        thread.join()


def environ_of(home: Path, servers: Mapping[str, str], master: str, partitions: int) -> dict[str, str]:
    """The settings of every process."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    providers = (
        "MICROSOFT_LOGIN",
        "MICROSOFT_GRAPH",
        "GOOGLE_AUTH",
        "GOOGLE_TOKEN",
        "GOOGLE_CALENDAR",
        "GOOGLE_DIRECTORY",
    )
    return {
        **own,
        **{f"ROOMSYNC_{name}_URL": NOWHERE for name in providers},
        **servers,
        "ROOMSYNC_ENGINE": "kafka",
        "ROOMSYNC_HOME": str(home),
        "ROOMSYNC_MASTER_KEY": master,
        "ROOMSYNC_PARTITIONS": str(partitions),
        "ROOMSYNC_RECEIVER_PORT": str(free_ports(1)[0]),
        "ROOMSYNC_LOG_LEVEL": "error",
        "ROOMSYNC_MICROSOFT_CLIENT_ID": "bench",
        "ROOMSYNC_MICROSOFT_CLIENT_SECRET": "bench",
    }
