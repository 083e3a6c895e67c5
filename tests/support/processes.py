"""Starts programs that say `ready NAME URL PID`, and stops them: for every test that needs one beside it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from shared.runtime.ready import parse_ready
from tests.support.paths import ROOT

STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Announced:
    """A running program and the address that it has announced."""

    process: subprocess.Popen[str]
    url: str


@contextlib.contextmanager
def start(command: Sequence[str], name: str, environ: Mapping[str, str] | None = None) -> Iterator[Announced]:
    """
    Start a program, wait for its `ready` line, and stop it with SIGTERM on the way out.

    Args:
        command: The program and its arguments; it runs in the repository.
        name: What its line has to call it.
        environ: Its whole environment; without it, that of the tests.
    """
    whole = {"PYTHONPATH": str(ROOT)} | dict(os.environ if environ is None else environ)
    with subprocess.Popen(
        command, cwd=ROOT, env=whole, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Announced(process, ready_url(process.stdout, name, process.pid))
        finally:
            process.terminate()
            process.wait(STOP_S)


def ready_url(lines: IO[str], name: str, pid: int) -> str:
    """Read the next line, which has to be the `ready` line of this process; its address."""
    line = lines.readline()
    ready = parse_ready(line)
    assert ready is not None, f"{name} did not start: {line!r}"
    assert (ready.name, ready.pid) == (name, pid), line
    return ready.url


@contextlib.contextmanager
def start_simulator(environ: Mapping[str, str] | None = None, *, seed: int = 7) -> Iterator[Announced]:
    """Start the simulator of the providers on a free port."""
    command = [sys.executable, "-m", "simulator.main", "--port", "0", "--seed", str(seed)]
    with start(command, "simulator", environ) as simulator:
        yield simulator
