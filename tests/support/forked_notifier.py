"""The notifier in a process that is forked from one that has loaded it: begun in a fraction of the time, and killed alike."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from cli.common.exit_codes import UNREACHABLE
from shared.runtime.claims import EXIT_FATAL

STOP_S = 40.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "cli.main",
        "cli.run",
        "services.notifier.main",
        "shared.engines.distributed",
        "shared.engines.embedded",
        "shared.providers.google.client",
        "shared.providers.microsoft.client",
    ]
)


class ForkedNotifier:
    """The process that runs. One that ended because a store was away for too long is followed by another, as its operator does."""

    def __init__(self, environ: Mapping[str, str], log: Path) -> None:
        """Begin."""
        self._arguments = (dict(environ), log)
        self.successors = 0
        self._process = self._start()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it, or the one that has followed it just now, runs."""
        if self._process.exitcode in {EXIT_FATAL, UNREACHABLE}:
            self.successors += 1
            self._process = self._start()
        return self._process.exitcode

    def stop(self) -> None:
        """With SIGTERM, and to its end."""
        self._process.terminate()
        self._process.join(STOP_S)

    def _start(self) -> ForkServerProcess:
        process = _FORKS.Process(target=_run, args=self._arguments, daemon=True)
        process.start()
        return process


@contextmanager
def fork_notifier(environ: Mapping[str, str], log: Path) -> Iterator[ForkedNotifier]:
    """Do what `roomsync run notifier` does, its output at the end of a file, and stop it on the way out."""
    notifier = ForkedNotifier(environ, log)
    try:
        yield notifier
    finally:
        notifier.stop()


def _run(environ: Mapping[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environ)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
    sys.argv = ["roomsync", "run", "notifier"]
    from cli.main import main  # noqa: PLC0415  # whoever only forks it needs none of it

    sys.exit(main())
