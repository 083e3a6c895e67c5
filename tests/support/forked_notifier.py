"""The notifier in a process that is forked from one that has loaded it: begun in a fraction of the time, and killed alike."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

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


@contextmanager
def fork_notifier(environ: Mapping[str, str], log: Path) -> Iterator[ForkServerProcess]:
    """Do what `roomsync run notifier` does, its output at the end of a file, and stop it with SIGTERM on the way out."""
    process = _FORKS.Process(target=_run, args=(dict(environ), log), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(STOP_S)


def _run(environ: Mapping[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environ)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output, stream.fileno())
    sys.argv = ["roomsync", "run", "notifier"]
    from cli.main import main  # noqa: PLC0415  # whoever only forks it needs none of it

    sys.exit(main())
