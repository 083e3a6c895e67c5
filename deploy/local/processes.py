"""Child processes that are awaited, stopped and never outlive their parent."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
STOP_S = 10.0
_POLL_S = 0.05
_CHOSEN_PORTS = range(20_000, 32_000)


class ServerError(RuntimeError):
    """A server could not be started; the message says what to install, or where its log is."""


def find_tool(name: str, install: str) -> str:
    """The path of a program. Raises ServerError naming the one install command."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is not on PATH. Install it with: {install}"
        raise ServerError(message)
    return path


def free_ports(count: int) -> list[int]:
    """
    As many free loopback ports, all different, drawn from below those that a system gives to whoever asks for none.

    Somebody may begin to listen minutes after asking: a port of that other kind would often be taken by then. Linux gives out
    32768 to 60999 unless told otherwise, macOS 49152 to 65535 (RFC 6335 §6).

    Raises:
        ServerError: nearly all of them are in use.
    """
    found: list[int] = []
    chance = SystemRandom()  # the other generator may be seeded alike in a process beside us
    for port in chance.sample(_CHOSEN_PORTS, len(_CHOSEN_PORTS)):
        if len(found) == count:
            return found
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            found.append(port)
    message = f"fewer than {count} ports of {_CHOSEN_PORTS.start} to {_CHOSEN_PORTS.stop - 1} are free: stop what listens there"
    raise ServerError(message)


class Child:
    """One server process, its output in a file; a context manager that ends it."""

    def __init__(self, command: Sequence[str], log: Path, *, cwd: Path) -> None:
        """Start it. It is killed when this process dies, however it dies (where util-linux is there)."""
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*guard, *command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """For signals: only to processes started here."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Raises ServerError when it ends, or is not `ready` in time."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-2000:]
                message = f"{self._process.args!r} did not become ready; its log {self.log} ends:\n{tail}"
                raise ServerError(message)
            time.sleep(_POLL_S)

    def freeze(self) -> None:
        """SIGSTOP, and wait for it: the kernel still accepts connections, nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)
        # One thread takes the signal and stops the others; on a busy machine they serve on for a while.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        if self.running:
            self._process.kill()
        self._process.wait()

    def stop(self, patience_s: float = STOP_S) -> None:
        """SIGTERM, then SIGKILL for one that has not ended after `patience_s`."""
        if self.running:
            self.thaw()
            self._process.terminate()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
