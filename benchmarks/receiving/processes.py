"""What a process and its children have used, as Linux counts it in /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12
"""Places in `/proc/PID/stat` after the name, which may hold spaces."""


def tree_of(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from tree_of(int(child))


def named(pid: int, name: str) -> list[int]:
    """The processes of that program among those that descend from one."""
    return [one for one in tree_of(pid) if Path(f"/proc/{one}/comm").read_text().strip() == name]


def cpu_s(pid: int) -> float:
    """Seconds of processor time, the user's and the system's, that a process and its children have used."""
    return sum(_ticks(one) for one in tree_of(pid)) * _TICK_S


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children in MiB; what they share counts in each."""
    return sum(_resident_kib(one) for one in tree_of(pid)) / 1024


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[_USER]) + int(fields[_SYSTEM])


def _resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
