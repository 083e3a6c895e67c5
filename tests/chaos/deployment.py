"""Everything that a campaign needs running: the simulator, two organisations, the services, people who are signed in."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.demo.processes import run_command, simulator_environ
from deploy.local.processes import Child, free_ports
from shared.runtime.ready import parse_ready
from tests.chaos.employees import Employee
from tests.chaos.load import Load
from tests.chaos.organisations import Office, Simulator, assembled
from tests.chaos.people import People
from tests.chaos.schedule import PROVIDERS
from tests.chaos.servers import Servers
from tests.chaos.service_processes import INSTANCES, PORTAL, RECEIVER, STATUS, SYNC, ProcessGroup
from tests.support.paths import ROOT

RETRY_SCALE = 0.02
"""Of the providers' own waits before they push again: 10 s become 0.2 s, two minutes 2.4 s."""
RECONCILE_S = 3
NEVER_S = 3600
ALONE = (RECEIVER, SYNC, STATUS, PORTAL)
"""One owner at a time: where nothing fences."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What runs, and who acts in it."""

    environ: Mapping[str, str]
    """The settings of everything that runs, for commands."""
    simulator: Simulator
    offices: Sequence[Office]
    services: ProcessGroup
    employees: Sequence[Employee]
    people: People
    load: Load
    logs: Path

    @property
    def tenants(self) -> Mapping[str, str]:
        """Provider → what the product calls the organisation there."""
        return {employee.provider: employee.tenant for employee in self.employees}


@contextlib.contextmanager
def start(
    seed: int, *, lossy: bool, tree: Path = ROOT, servers: Servers | None = None, without: str = ""
) -> Iterator[Deployment]:
    """
    Everything started and everybody connected.

    Args:
        lossy: Pushes may get lost, and mailboxes are looked at unasked every few seconds. Else neither: then no hint may
            be lost anywhere, because nothing would make up for it.
        tree: The sources that the services run from.
        servers: Own servers to run on; None: the embedded engine.
        without: The guard that the workers leave out, see ROOMSYNC_TEST_WITHOUT.
    """
    home = Path(tempfile.mkdtemp(prefix="roomsync-chaos-"))
    with contextlib.ExitStack() as stack:
        address = _simulator(stack, home, seed)
        simulator = stack.enter_context(contextlib.closing(Simulator(address)))
        simulator.faults(retryScale=RETRY_SCALE)
        environ = _settings(home, address, seed, NEVER_S if not lossy else RECONCILE_S, servers)
        environ |= {"ROOMSYNC_TEST_WITHOUT": without} if without else {}
        if servers:
            run_command(["topics", "--apply"], environ)
        offices = [assembled(simulator, each, environ) for each in PROVIDERS]
        services = ProcessGroup(tree, environ, home, instances=ALONE if without == "transactions" else INSTANCES)
        stack.callback(services.stop)
        services.start({SYNC: "sync-worker.subscribed:2"})
        employees = [stack.enter_context(contextlib.closing(each)) for each in _connected(services, offices)]
        load = stack.enter_context(contextlib.closing(Load(services.named(RECEIVER)[0].ready, environ)))
        yield Deployment(
            environ, simulator, offices, services, employees, People(simulator, offices, employees), load, home
        )


def _settings(home: Path, simulator: str, seed: int, unasked_s: int, servers: Servers | None) -> dict[str, str]:
    receiver, portal = free_ports(2)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ROOMSYNC_")}
    environ |= {
        "ROOMSYNC_HOME": str(home / "data"),
        "ROOMSYNC_ENGINE": "embedded",
        "ROOMSYNC_PARTITIONS": "2",
        "ROOMSYNC_RECEIVER_PORT": str(receiver),
        "ROOMSYNC_PORTAL_PORT": str(portal),
        "ROOMSYNC_PUBLIC_URL": f"http://127.0.0.1:{portal}",
        "ROOMSYNC_HOOKS_URL": f"http://127.0.0.1:{receiver}",
        "ROOMSYNC_PROMPT_GRACE_S": "0",
        "ROOMSYNC_RECONCILE_S": str(unasked_s),
        "ROOMSYNC_PENDING_SILENT_S": str(unasked_s),
        **simulator_environ(simulator),
    }
    if servers:
        environ |= {"ROOMSYNC_ENGINE": "kafka", "ROOMSYNC_TOPIC_PREFIX": f"chaos-{seed}."} | dict(servers.settings)
    return environ


def _connected(services: ProcessGroup, offices: Sequence[Office]) -> list[Employee]:
    portal = services.named(PORTAL)[0].ready
    employees = [Employee(portal, office.provider, address) for office in offices for address in office.people.values()]
    for employee in employees:
        employee.connect()
    return employees


def _simulator(stack: contextlib.ExitStack, home: Path, seed: int) -> str:
    """Start it; its address."""
    log = home / "simulator.log"
    command = [sys.executable, "-m", "cli.main", "simulator", "--port", "0", "--seed", str(seed)]
    child = stack.enter_context(Child(command, log, cwd=ROOT))

    def address() -> str:
        ready = [found for line in log.read_text().splitlines() if (found := parse_ready(line))]
        return ready[0].url if ready else ""

    child.wait_until(lambda: bool(address()), 60.0)
    return address()
