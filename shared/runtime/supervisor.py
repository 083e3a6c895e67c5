"""One process per service: starts them, restarts those that die, stops all of them together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.runtime.ready import parse_ready

SUPERVISED = "ROOMSYNC_SUPERVISED"
FIRST_RESTART_S = 0.1
SLOWEST_RESTART_S = 5.0
STEADY_S = 10.0
STOP_S = 8.0

OnReady = Callable[[str, str, int], None]


@dataclass(slots=True)
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[str] | None = None
    started_at_s: float = 0.0
    restart_at_s: float = 0.0
    wait_s: float = FIRST_RESTART_S
    reader: threading.Thread | None = field(default=None)


class Supervisor:
    """
    Runs commands as child processes and keeps them running.

    Each child prints `ready NAME URL PID` when it can be used; the supervisor repeats that line through `on_ready`. Children
    hold one end of a pipe to the supervisor and end themselves when it is gone, however it died (`watch_supervisor`).
    """

    def __init__(self, commands: Mapping[str, Sequence[str]], environ: Mapping[str, str], on_ready: OnReady) -> None:
        """`commands`: name → argv. `environ` is the children's whole environment."""
        self._children = [_Child(name, command) for name, command in commands.items()]
        self._environ = {**environ, SUPERVISED: "1"}
        self._on_ready = on_ready

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        try:
            while not stop.is_set():
                for child in self._children:
                    self._tend(child)
                stop.wait(0.05)
        finally:
            self._stop_all()

    def _tend(self, child: _Child) -> None:
        now_s = time.monotonic()
        if child.process is None:
            if now_s >= child.restart_at_s:
                self._start(child, now_s)
            return
        code = child.process.poll()
        if code is None:
            return
        if now_s - child.started_at_s > STEADY_S:
            child.wait_s = FIRST_RESTART_S
        print(f"{child.name} ended ({code}); again in {child.wait_s:.1f} s", file=sys.stderr, flush=True)  # noqa: T201
        child.process, child.restart_at_s = None, now_s + child.wait_s
        child.wait_s = min(child.wait_s * 2, SLOWEST_RESTART_S)

    def _start(self, child: _Child, now_s: float) -> None:
        child.started_at_s = now_s
        child.process = subprocess.Popen(  # noqa: S603  # our own commands
            child.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._environ,
            start_new_session=True,
        )  # fmt: skip
        child.reader = threading.Thread(target=self._read, args=(child.process,), daemon=True)
        child.reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            ready = parse_ready(line)
            if ready is not None:
                self._on_ready(ready.name, ready.url, ready.pid)

    def _stop_all(self) -> None:
        running = [child.process for child in self._children if child.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def watch_supervisor() -> None:
    """In a child: end this process once the supervisor's end of stdin is closed. Does nothing when started by hand."""
    if os.environ.get(SUPERVISED) != "1":
        return

    def wait() -> None:
        # Not sys.stdin: its lock, held by a daemon thread, would spoil an orderly exit.
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="supervisor-watch", daemon=True).start()
