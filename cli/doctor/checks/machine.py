"""The machine: Python, its packages, and the data directory."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.providers.catalogue import PROFILES
from shared.runtime.settings import Settings

OLDEST = (3, 11)
_LEAST_FREE_BYTES = 200 * 1024 * 1024
_EXTRAS = {profile.extra: profile.sdk for profile in PROFILES.values()} | {"portal": "authlib"}


def check_machine() -> Iterator[CheckResult]:
    """Python and what is installed into it."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= OLDEST:
        yield CheckResult("python", CheckState.OK, version)
    else:
        yield CheckResult("python", CheckState.WRONG, version, "install Python 3.11 or newer, then `make setup`")
    missing = [extra for extra, module in _EXTRAS.items() if importlib.util.find_spec(module) is None]
    if missing:
        names = ",".join(missing)
        yield CheckResult(
            "packages",
            CheckState.WRONG,
            f"not installed: {names}",
            f"run `make setup`, or `pip install roomsync[{names}]`",
        )
    else:
        yield CheckResult("packages", CheckState.OK, "provider and portal packages are installed")


def check_home(settings: Settings) -> Iterator[CheckResult]:
    """Whether the data directory can be written, and has room."""
    place = _find_nearest_folder(settings.home.absolute())
    if not os.access(place, os.W_OK | os.X_OK):
        yield CheckResult(
            "home", CheckState.WRONG, f"{place} cannot be written", "set ROOMSYNC_HOME to a directory of your own"
        )
        return
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        yield CheckResult(
            "home",
            CheckState.WRONG,
            f"{free // 2**20} MiB free at {place}",
            "make room: the log needs 200 MiB at least",
        )
        return
    text = (
        f"{settings.home} can be written"
        if settings.home.exists()
        else f"{settings.home} will be made at the first start"
    )
    yield CheckResult("home", CheckState.OK, text)


def _find_nearest_folder(path: Path) -> Path:
    """The directory itself, or the nearest one above it that exists."""
    while not path.exists():
        path = path.parent
    return path
