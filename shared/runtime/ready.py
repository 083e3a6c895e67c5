"""The `ready NAME URL PID` line by which a process on stdout tells its parent that it can be used."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

_WORD = "ready"
_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Ready:
    """One such line."""

    name: str
    """The service, as `roomsync run` calls it."""
    url: str
    """Its base address, or that of its health checks."""
    pid: int

    def __str__(self) -> str:
        return f"{_WORD} {self.name} {self.url} {self.pid}"


def announce(name: str, url: str, pid: int | None = None) -> None:
    """Write the line to stdout and flush it. `pid` is this process unless a supervisor repeats a child's line."""
    sys.stdout.write(f"{Ready(name, url, os.getpid() if pid is None else pid)}\n")
    sys.stdout.flush()


def parse_ready(line: str) -> Ready | None:
    """Read a line that a process has printed; None when it is another line."""
    words = line.split()
    if len(words) != _FIELDS or words[0] != _WORD or not words[3].isdecimal():
        return None
    return Ready(words[1], words[2], int(words[3]))
