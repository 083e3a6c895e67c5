"""Ends the demo in order, however it is told to end, and removes its directory with the keys in it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.demo.processes import HOME_PREFIX

_SIGNALS = (signal.SIGHUP, signal.SIGTERM)
_KILLED = 128
"""A shell adds it to the number of the signal that ended a command."""


@dataclass(slots=True)
class DemoHome:
    """The directory of one demo, and whether it stays."""

    path: Path
    kept: bool = False

    def keep(self) -> None:
        """Leave the directory, since somebody has to read the logs in it."""
        self.kept = True


@contextlib.contextmanager
def open_home() -> Iterator[DemoHome]:
    """Make a directory; remove it on the way out, unless it is to be kept or an error passes through."""
    home = DemoHome(Path(tempfile.mkdtemp(prefix=HOME_PREFIX)))
    try:
        yield home
    except Exception:
        home.keep()
        raise
    finally:
        if not home.kept:
            shutil.rmtree(home.path, ignore_errors=True)


@contextlib.contextmanager
def end_at_hang_up() -> Iterator[None]:
    """
    While the block runs, leave it when the terminal is closed or this process is terminated, so that it ends what it started.

    Raises SystemExit in the block, with the exit code of a shell for that signal. The same signal once more changes nothing.
    """

    def leave(number: int, _frame: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(_KILLED + number)

    former = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
