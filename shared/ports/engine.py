"""An engine: the four stores of one deployment, behind their ports, opened together and closed together."""

from __future__ import annotations

from typing import Protocol

from shared.ports.keyring import Keyring
from shared.ports.log import Log
from shared.ports.registry import Registry
from shared.ports.view import View


class Engine(Protocol):
    """
    What every engine's `open_engine` returns.

    Each part is opened when it is first asked for, so that a process depends only on what it uses: the receiver touches the
    log and nothing else. Thread-safe; one per process.
    """

    @property
    def log(self) -> Log:
        """The record. Raises LogUnavailableError, or ConfigurationError (another number of partitions), when opened."""
        ...

    @property
    def view(self) -> View:
        """What answers questions; may be lost. Raises StoreUnavailableError when opened."""
        ...

    @property
    def registry(self) -> Registry:
        """What exists nowhere else. Raises StoreUnavailableError when opened."""
        ...

    @property
    def keyring(self) -> Keyring:
        """The tenants' keys. Raises StoreUnavailableError when opened."""
        ...

    def close(self) -> None:
        """Close the parts that were opened. Idempotent."""
        ...
