"""The campaign: people act while things break, round by round; after each round everything has to come right."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cli.stage import run_command, simulator_environ
from deploy.local.processes import Child, free_ports
from tests.chaos.checker import Boundary, Names, Verdict, check
from tests.chaos.employees import Employee
from tests.chaos.offices import RULES, Simulator, assembled
from tests.chaos.people import UNDECIDED, People
from tests.chaos.schedule import SLOW, Event, round_of
from tests.chaos.servers import Servers
from tests.chaos.told import shown, tellings
from tests.chaos.troupe import PORTAL, SYNC, Troupe
from tests.chaos.truth import Truth, truth_of

ROOT = Path(__file__).parents[2]
RETRY_SCALE = 0.02
"""Of the providers' own waits before they push again: 10 s become 0.2 s, two minutes 2.4 s."""
SETTLE_S = 75.0
QUIET_S = 2.0
POLL_S = 0.3
RECONCILE_S = 3
NEVER_S = 3600


class Campaign:
    """One engine, one seed, one source tree."""

    def __init__(
        self,
        seed: int,
        *,
        lossy: bool,
        tree: Path = ROOT,
        servers: Servers | None = None,
        say: Callable[[str], None] = print,
        settle_s: float = SETTLE_S,
    ) -> None:
        """
        Nothing runs yet.

        Args:
            lossy: Pushes may get lost, and mailboxes are looked at unasked every few seconds. Else neither: then no hint
                may be lost anywhere, because nothing would make up for it.
            tree: The sources that the services run from.
            servers: Own servers to run on and to break; None: the embedded engine.
        """
        self.seed = seed
        self.faults: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._lossy, self._tree, self._servers, self._say = lossy, tree, servers, say
        self._settle_s = settle_s
        self._names, self._boundary = Names(), Boundary()
        self._round = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[Campaign]:
        """Everything started and everybody connected."""
        home = Path(tempfile.mkdtemp(prefix="roomsync-chaos-"))
        with contextlib.ExitStack() as stack:
            address = _simulator(stack, home, self.seed)
            self._simulator = stack.enter_context(contextlib.closing(Simulator(address)))
            self._simulator.faults(retryScale=RETRY_SCALE)
            self._environ = self._settings(home, address)
            if self._servers:
                run_command(["topics", "--apply"], self._environ)
            self._offices = [assembled(self._simulator, each, self._environ) for each in ("microsoft", "google")]
            self._troupe = Troupe(self._tree, self._environ, home)
            stack.callback(self._troupe.stop)
            self._troupe.start({SYNC: "sync-worker.subscribed:2"})
            self._employees = [stack.enter_context(contextlib.closing(each)) for each in self._connected()]
            self._people = People(self._simulator, self._offices, self._employees)
            self._say(f"chaos seed={self.seed} logs={home}")
            self._learn_rooms()
            yield self

    def round(self) -> Verdict:
        """One round of mischief, and how things stand once it has settled."""
        self._round += 1
        self._simulator.faults(**SLOW)
        began_s = time.monotonic()
        for event in round_of(self._dice, lossy=self._lossy, servers=self._servers is not None):
            time.sleep(max(0.0, began_s + event.at_s - time.monotonic()))
            self._do(event)
        self._calm()
        calm_s = time.monotonic()
        verdict = self._settled()
        self._boundary = verdict.boundary
        took = f"{calm_s - began_s:.0f} s of faults, settled after {time.monotonic() - calm_s:.0f} s"
        faults = " ".join(f"{name}={count}" for name, count in sorted(self.faults.items()))
        self._say(f"chaos seed={self.seed} round {self._round}: {verdict} ({took}; faults so far: {faults})")
        return verdict

    def _settings(self, home: Path, simulator: str) -> dict[str, str]:
        receiver, portal = free_ports(2)
        environ = {key: value for key, value in os.environ.items() if not key.startswith("ROOMSYNC_")}
        unasked_s = str(RECONCILE_S if self._lossy else NEVER_S)
        environ |= {
            "ROOMSYNC_HOME": str(home / "data"),
            "ROOMSYNC_ENGINE": "embedded",
            "ROOMSYNC_PARTITIONS": "2",
            "ROOMSYNC_RECEIVER_PORT": str(receiver),
            "ROOMSYNC_PORTAL_PORT": str(portal),
            "ROOMSYNC_PUBLIC_URL": f"http://127.0.0.1:{portal}",
            "ROOMSYNC_HOOKS_URL": f"http://127.0.0.1:{receiver}",
            "ROOMSYNC_PROMPT_GRACE_S": "0",
            "ROOMSYNC_RECONCILE_S": unasked_s,
            "ROOMSYNC_PENDING_SILENT_S": unasked_s,
            **simulator_environ(simulator),
        }
        if self._servers:
            environ |= {"ROOMSYNC_ENGINE": "kafka", "ROOMSYNC_TOPIC_PREFIX": f"chaos-{self.seed}."}
            environ |= self._servers.settings
        return environ

    def _connected(self) -> list[Employee]:
        portal = self._troupe.named(PORTAL)[0].ready
        employees = [
            Employee(portal, office.provider, address) for office in self._offices for address in office.people.values()
        ]
        for employee in employees:
            employee.connect()
        return employees

    def _learn_rooms(self) -> None:
        """Before anything breaks: a room that somebody exchanges is on no page afterwards."""
        self._people.book_every_room()
        deadline_s = time.monotonic() + self._settle_s
        while len(self._names.rooms) < len(RULES) * len(self._offices):
            if time.monotonic() > deadline_s:
                message = "the pages never showed every room"
                raise RuntimeError(message)
            for employee in self._employees:
                self._names.learn(employee.lines() or ())

    def _do(self, event: Event) -> None:
        match event.kind:
            case "book" | "move" | "cancel" | "decide" | "take":
                getattr(self._people, event.kind)(event.dice)
                return
            case "kill" | "crash":
                self._troupe.kill(self._one(event), event.point)
            case "freeze":
                self._troupe.freeze(self._one(event), event.seconds)
            case "road":
                self._simulator.faults(reset=True, **{"retryScale": RETRY_SCALE, **SLOW, **event.switches})
            case _:
                if self._servers:
                    self._servers.act(event.kind, event.seconds)
        self.faults[f"{event.kind}" if event.kind != "crash" else event.point.partition(":")[0]] += 1

    def _one(self, event: Event) -> str:
        actors = self._troupe.named(event.service)
        return actors[int(event.dice * len(actors))].name

    def _calm(self) -> None:
        self._simulator.faults(reset=True, retryScale=RETRY_SCALE)
        self._troupe.calm()
        if self._servers:
            self._servers.calm()
        self._troupe.wait_ready()

    def _settled(self) -> Verdict:
        """Poll until nothing is missing or time is up; then once more after a pause, for what comes twice."""
        deadline_s = time.monotonic() + self._settle_s
        while not (verdict := self._verdict()).settled and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
        if verdict.settled:
            time.sleep(QUIET_S)
            verdict = self._verdict()
        return verdict

    def _verdict(self) -> Verdict:
        truths = self._truths()
        pages = [employee.lines() for employee in self._employees]
        lines = [line for page in pages for line in page or ()]
        self._names.learn(lines)
        verdict = check(tellings(self._environ), shown(self._environ), lines, truths, self._names, self._boundary)
        verdict.wrong += ["a page says that it is not complete" for page in pages if page is None]
        verdict.wrong += [
            f"{spot} has not answered yet"
            for truth in truths.values()
            for spot, states in truth.states.items()
            if states == {"pending"} and spot[1] != UNDECIDED
        ]
        self._count_takes(truths, verdict)
        return verdict

    def _truths(self) -> Mapping[str, Truth]:
        meetings, history = self._simulator.listed("meetings"), self._simulator.listed("history")
        tenants = {employee.provider: employee.tenant for employee in self._employees}
        return {
            tenants[office.provider]: truth_of(
                [each for each in meetings if each["tenant"] == office.directory],
                history,
                office.room_ids,
                self._people.asked,
            )
            for office in self._offices
        }

    def _count_takes(self, truths: Mapping[str, Truth], verdict: Verdict) -> None:
        """A room that was taken is exchanged in the calendar, and once."""
        tenants = {employee.provider: employee.tenant for employee in self._employees}
        for (provider, title), wanted in self._people.takes.items():
            done = truths[tenants[provider]].swaps.get(title, 0)
            if done < wanted:
                verdict.lost.append(f"{title}: {wanted} rooms taken, {done} exchanged")
            elif done > wanted:
                verdict.twice.append(f"{title}: {wanted} rooms taken, {done} exchanged")


def _simulator(stack: contextlib.ExitStack, home: Path, seed: int) -> str:
    """Start it; its address."""
    log = home / "simulator.log"
    command = [sys.executable, "-m", "cli.main", "simulator", "--port", "0", "--seed", str(seed)]
    child = stack.enter_context(Child(command, log, cwd=ROOT))

    def address() -> str:
        ready = [line.split() for line in log.read_text().splitlines() if line.startswith("ready simulator ")]
        return ready[0][2] if ready else ""

    child.wait_until(lambda: bool(address()), 60.0)
    return address()
