"""An engine for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.ports.engine import Engine
from shared.runtime.logging import configure
from shared.runtime.settings import Settings, load
from shared.runtime.wiring import open_engine


@contextmanager
def opened_engine() -> Iterator[tuple[Engine, Settings]]:
    """
    Settings and engine; closed afterwards. Logs of a command are warnings on stderr: stdout is its answer.

    Raises:
        ConfigurationError, LogUnavailableError, StoreUnavailableError: `cli.main` turns them into exit codes.
    """
    settings = load()
    configure("cli", "debug" if settings.log_level == "debug" else "warning")
    engine = open_engine(settings)
    try:
        yield engine, settings
    finally:
        engine.close()
