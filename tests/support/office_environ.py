"""The environment of a program that runs on an office's own files, and the notifier run in it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.demo.processes import simulator_environ
from shared.crypto.master import MasterKeys
from tests.support.paths import ROOT

NOBODY = "http://127.0.0.1:9"
STOP_S = 40.0


def office_environ(master: MasterKeys, home: Path, partitions: int = 1, **settings: str) -> dict[str, str]:
    """
    Return the whole environment of a program on an office's own files; no provider is asked.

    Args:
        master: The office's master keys; it has one.
        home: Its data directory.
        partitions: Of its topics.
        settings: Further settings, named in small letters and without `ROOMSYNC_`.
    """
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ROOMSYNC_")}
    environ |= simulator_environ(NOBODY)  # crash points want loopback alone
    environ |= {
        "PYTHONPATH": os.environ["PYTHONPATH"],
        "ROOMSYNC_HOME": str(home),
        "ROOMSYNC_PARTITIONS": str(partitions),
        "ROOMSYNC_MASTER_KEY": write_master_key(master),
    }
    return environ | {f"ROOMSYNC_{name.upper()}": value for name, value in settings.items()}


def write_master_key(master: MasterKeys) -> str:
    """Return the setting that gives a program an office's one master key."""
    [(key_id, key)] = master.ring.items()
    return f"{key_id}:{base64.urlsafe_b64encode(key).decode()}"


@contextmanager
def run_notifier(environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `roomsync run notifier`, its output at the end of a file, and stop it with SIGTERM on the way out."""
    command = [sys.executable, "-m", "cli.main", "run", "notifier"]
    with (
        log.open("ab") as output,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_S)
