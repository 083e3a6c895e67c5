"""Keeps the addresses of the services that this machine's supervisor runs: `run` writes them, `status` and `trigger` read them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

FILE = "services.json"


class ServiceAddresses:
    """Writes one supervisor's services to `services.json`. A failure to write is ignored: only commands read the file."""

    def __init__(self, home: Path) -> None:
        """Write nothing yet. `home` is the data directory."""
        self._path = home / FILE
        self._known: dict[str, str] = {}

    def add(self, name: str, url: str) -> None:
        """Enter the address of a service; it replaces an earlier one."""
        self._known[name] = url
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(self._known))
            fresh.replace(self._path)

    def remove_all(self) -> None:
        """Delete the file, once all services have ended. Idempotent."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_service_addresses(home: Path) -> Mapping[str, str]:
    """Return service → address from the file of a supervisor that runs, or that was killed; empty without a file."""
    try:
        found = json.loads((home / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(url) for name, url in found.items()} if isinstance(found, dict) else {}
