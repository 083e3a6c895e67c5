"""A process that kills others once the one that started it has ended, also where that was killed and could stop nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.support.paths import ROOT

_WATCH, _FORGET, _DONE = "watch", "forget", "done"


class ProcessGuard:
    """Kills what it watches when this process ends without leaving the guard's context."""

    def __init__(self) -> None:
        """Start it, in a session of its own: whoever kills a test with all of its group does not kill the guard."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.process_guard"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def watch(self, pid: int, *, group: bool = False) -> None:
        """Watch a process, or the whole group that it leads."""
        self._tell(_WATCH, -pid if group else pid)

    def forget(self, pid: int, *, group: bool = False) -> None:
        """Leave a process alone that has ended: another may be given its number."""
        self._tell(_FORGET, -pid if group else pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(f"{_DONE} 0\n")

    def _tell(self, act: str, target: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{act} {target}\n")
        self._process.stdin.flush()


def kill_unless_done(lines: Iterable[str]) -> None:
    """Follow what is told, and kill what is left when the lines end before `done`."""
    watched = set[int]()
    for line in lines:
        act, target = line.split()
        if act == _DONE:
            return
        (watched.add if act == _WATCH else watched.discard)(int(target))
    for target in watched:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)  # of a negative number: the group


if __name__ == "__main__":
    kill_unless_done(sys.stdin)
