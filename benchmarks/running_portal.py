"""The portal as a process of its own, for what is measured of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping

from shared.runtime.ready import Ready, parse_ready


@contextlib.contextmanager
def running_portal(environ: Mapping[str, str]) -> Iterator[Ready]:
    """
    Run `roomsync run portal` with these variables while the block lasts.

    Yields:
        Its address and process id.
    """
    command = [sys.executable, "-m", "cli.main", "run", "portal"]
    with subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = parse_ready(process.stdout.readline())
            assert ready is not None, "the portal did not start"
            yield ready
        finally:
            process.terminate()
