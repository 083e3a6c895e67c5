"""The services as processes that die, freeze and are started again. Only processes started here are ever signalled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.runtime.ready import parse_ready

RECEIVER, SYNC, STATUS, PORTAL = "webhook-receiver", "sync-worker", "room-status", "portal"
INSTANCES = (RECEIVER, SYNC, SYNC, STATUS, STATUS, PORTAL)
"""Two of each worker, so that one that is frozen or dead has a successor while it may still wake up."""
RESTART_S = 0.3
READY_S = 90.0
STOP_S = 8.0


@dataclass(slots=True)
class Actor:
    """One process of one service, and how to start it again."""

    name: str
    service: str
    process: subprocess.Popen[str] | None = None
    ready: str = ""
    frozen_until_s: float = 0.0
    start_at_s: float = 0.0
    crash_at: str = ""
    """The point that its next process is armed with."""
    armed: str = ""
    """The point that its running process is armed with and has not reached."""
    stop_s: float = 0.0
    """How long it stays frozen at its point, where it freezes there."""
    killed: bool = False
    """Whether its running process was sent SIGKILL from here."""
    readers: list[threading.Thread] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def stopped(self) -> bool:
        """Whether the kernel has stopped it."""
        try:
            return self.pid is not None and _state_of(self.pid) in "Tt"
        except OSError:
            return False


class ProcessGroup:
    """All services, from one source tree. A keeper thread thaws and restarts; every method may be called meanwhile."""

    def __init__(
        self, tree: Path, environ: Mapping[str, str], logs: Path, *, instances: Sequence[str] = INSTANCES
    ) -> None:
        """
        Nothing runs yet.

        Args:
            tree: The root of the sources to run, which may be an altered copy.
            instances: A service for each process.
        """
        self._tree = tree
        self._environ = {**environ, "PYTHONPATH": str(tree), "ROOMSYNC_SUPERVISED": "1"}
        self._logs = logs
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self.actors = [Actor(f"{service}-{number}", service) for number, service in enumerate(instances)]
        self.happened: Counter[str] = Counter()
        """What was really done to whom, and which points were really reached."""
        self._held = ""
        """The service of which every process is frozen for the time being."""

    def start(self, crash_at: Mapping[str, str]) -> None:
        """Start all and wait until all are ready. `crash_at`: service → the point that one of its processes is armed with."""
        for service, point in crash_at.items():
            self.named(service)[0].crash_at = point
        self._keeper.start()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Raises RuntimeError with the log's end when one does not become ready."""
        deadline_s = time.monotonic() + READY_S
        while waiting := [actor for actor in self.actors if not actor.ready]:
            if time.monotonic() > deadline_s:
                log = self._log(waiting[0])
                message = f"{waiting[0].name} is not ready; {log} ends:\n{log.read_text()[-3000:]}"
                raise RuntimeError(message)
            time.sleep(0.05)

    def named(self, service: str) -> list[Actor]:
        """The processes of a service."""
        return [actor for actor in self.actors if actor.service == service]

    def kill(self, name: str, crash_at: str = "", stop_s: float = 0.0) -> None:
        """SIGKILL; it is started again soon, armed with `crash_at`, if given, where it then freezes for `stop_s` if not 0."""
        with self._lock:
            actor = self._actor(name)
            actor.crash_at = f"{crash_at}:stop" if stop_s else crash_at
            actor.stop_s = stop_s
            if actor.process and actor.pid:
                actor.process.kill()
                actor.killed, actor.armed = True, ""
                self.happened[f"kill {actor.service}"] += 1

    def freeze(self, name: str, seconds: float) -> None:
        """SIGSTOP for so long."""
        with self._lock:
            actor = self._actor(name)
            if actor.pid and not actor.frozen_until_s:
                os.kill(actor.pid, signal.SIGSTOP)
                actor.frozen_until_s = time.monotonic() + seconds
                self.happened[f"freeze {actor.service}"] += 1

    @contextlib.contextmanager
    def freeze_all(self, service: str) -> Iterator[None]:
        """Every process of a service stands still meanwhile, and none is started. Who stood still before goes on standing."""
        with self._lock:
            self._held = service
            walking = [actor for actor in self.named(service) if not actor.frozen_until_s]
            for actor in walking:
                self.freeze(actor.name, READY_S)
        try:
            while any(actor.pid and not actor.stopped for actor in self.named(service)):
                time.sleep(0.005)
            yield
        finally:
            with self._lock:
                self._held = ""
                for actor in walking:
                    self._thaw(actor)

    def await_zombies(self, patience_s: float) -> None:
        """Until whoever was to freeze at a point has done so and has woken; no longer than `patience_s`."""
        deadline_s = time.monotonic() + patience_s
        while any(actor.stop_s for actor in self.actors) and time.monotonic() < deadline_s:
            time.sleep(0.05)

    def calm(self) -> None:
        """
        Zombies wake in their time, the other frozen ones now; nobody is armed any more who starts from now on.

        Whoever waits for its point may still reach it, and that only delays.
        """
        while any(actor.stop_s and actor.frozen_until_s for actor in self.actors):
            time.sleep(0.05)
        with self._lock:
            for actor in self.actors:
                self._thaw(actor)
                actor.crash_at = ""

    def stop(self) -> None:
        """End all."""
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for actor in self.actors:
            self._thaw(actor)
            if actor.process:
                actor.process.terminate()
        for actor in self.actors:
            if actor.process:
                self._ended(actor.process)
            for reader in actor.readers:
                reader.join()

    def _actor(self, name: str) -> Actor:
        return next(actor for actor in self.actors if actor.name == name)

    def _keep(self) -> None:
        while not self._over.wait(0.05):
            with self._lock:
                self._tend()

    def _tend(self) -> None:
        now_s = time.monotonic()
        for actor in self.actors:
            if actor.frozen_until_s and now_s >= actor.frozen_until_s and actor.service != self._held:
                self._thaw(actor)
            if actor.armed.endswith(":stop") and not actor.frozen_until_s and actor.stopped:
                actor.frozen_until_s = now_s + actor.stop_s
                self.happened[f"frozen at {actor.armed.partition(':')[0]}"] += 1
                actor.armed = ""
            if actor.process is None and now_s >= actor.start_at_s and actor.service != self._held:
                self._start(actor)
            elif actor.process is not None and actor.process.poll() is not None:
                self._note_death(actor, now_s)

    @staticmethod
    def _ended(process: subprocess.Popen[str]) -> None:
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()

    def _thaw(self, actor: Actor) -> None:
        if actor.frozen_until_s and actor.pid:
            os.kill(actor.pid, signal.SIGCONT)
        if actor.frozen_until_s:
            actor.stop_s = 0.0
        actor.frozen_until_s = 0.0

    def _note_death(self, actor: Actor, now_s: float) -> None:
        if actor.process and actor.process.stdin:
            actor.process.stdin.close()
        if actor.armed and not actor.killed and actor.process and actor.process.returncode == -signal.SIGKILL:
            self.happened[f"killed at {actor.armed.partition(':')[0]}"] += 1
        actor.armed, actor.killed = "", False
        actor.process, actor.ready, actor.frozen_until_s = None, "", 0.0
        actor.start_at_s = now_s + RESTART_S

    def _start(self, actor: Actor) -> None:
        environ = {**self._environ, "ROOMSYNC_CRASH_AT": actor.crash_at} if actor.crash_at else self._environ
        actor.armed, actor.crash_at = actor.crash_at, ""
        with self._log(actor).open("a") as log:
            actor.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "run", actor.service],
                cwd=self._tree,
                env=environ,
                stdin=subprocess.PIPE,  # its end tells the child that we are gone
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        reader = threading.Thread(target=self._read, args=(actor, actor.process), daemon=True)
        actor.readers.append(reader)
        reader.start()

    @staticmethod
    def _read(actor: Actor, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with process.stdout as lines:
            for line in lines:
                ready = parse_ready(line)
                if ready is not None and actor.process is process:
                    actor.ready = ready.url

    def _log(self, actor: Actor) -> Path:
        return self._logs / f"{actor.name}.log"


def _state_of(pid: int) -> str:
    """The kernel's letter for what the process is doing. Raises OSError when it is gone."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
