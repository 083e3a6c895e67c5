"""The tree of 0.1.0, out of this repository's history, and what its code does in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.paths import ROOT

RELEASE = "a68938f"
"""0.1.0, as the history has it."""


def unpack_release(directory: Path) -> Path:
    """Unpack that tree below `directory`, and return where it stands. Skips the test where there is no history."""
    tree = directory / "earlier"
    tree.mkdir()
    archive = subprocess.run(["git", "archive", RELEASE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("the repository's history is not here (a shallow clone): 0.1.0 cannot be run")
    subprocess.run(["tar", "-x"], cwd=tree, input=archive.stdout, check=True)
    return tree


def run_on_release(tree: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> str:
    """Run Python with that tree's code and return the last line that it prints."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    ran = subprocess.run(
        [sys.executable, *arguments],
        env=others | dict(settings or {}) | {"PYTHONPATH": str(tree)},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip().splitlines()[-1]
