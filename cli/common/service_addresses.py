"""Where the services of this machine's supervisor answer: written by `run`, read by `status`, in the data directory."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

FILE = "services.json"


class Standing:
    """One supervisor's note of its services. A note that cannot be written is missed by `status` alone."""

    def __init__(self, home: Path) -> None:
        """Nothing stands yet."""
        self._path = home / FILE
        self._known: dict[str, str] = {}

    def ready(self, name: str, url: str) -> None:
        """The service answers there, perhaps at another address than before."""
        self._known[name] = url
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(self._known))
            fresh.replace(self._path)

    def over(self) -> None:
        """All of them have ended. Idempotent."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def noted(home: Path) -> Mapping[str, str]:
    """Service → address, as a supervisor that runs now (or died without a word) has noted; empty when there is none."""
    try:
        found = json.loads((home / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(url) for name, url in found.items()} if isinstance(found, dict) else {}
