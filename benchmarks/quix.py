"""Quix Streams for what is measured beside it: an environment of its own, and the command of its fold."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

PINNED = "quixstreams==3.28.1"
FOLD = Path(__file__).parent / "peers" / "quix_fold.py"
_PLACE = Path(".cache/peers/quix")


def quix_python() -> Path | None:
    """Its interpreter, made when it is first asked for; None, said aloud, when it cannot be had."""
    python, stamp = (_PLACE / "bin/python").absolute(), _PLACE / "installed"
    if not (stamp.exists() and stamp.read_text() == PINNED):
        venv.create(_PLACE, with_pip=True, clear=True)
        done = subprocess.run(
            [python, "-m", "pip", "install", "-q", PINNED], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(
                f"SKIPPED: {PINNED} cannot be installed here, so there is no comparison: {done.stderr.strip()[-300:]}"
            )
            return None
        stamp.write_text(PINNED)
    return python
