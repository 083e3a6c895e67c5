"""Opens the engine for the length of one command."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from shared.engines.embedded.engine import LOG_FILE, REGISTRY_FILE
from shared.errors import ConfigurationError
from shared.ports.engine import Engine
from shared.runtime.logging import configure
from shared.runtime.settings import Settings, load
from shared.runtime.wiring import open_engine


@contextmanager
def connect_engine(*, fresh: bool = False) -> Iterator[tuple[Engine, Settings]]:
    """
    Load the settings and open the engine; close it afterwards. Only warnings are logged, on stderr: stdout is the answer.

    Args:
        fresh: Whether the command may make a new, empty deployment. Otherwise a missing one is an error: a command run in
            the wrong directory would make one and find all well.

    Raises:
        ConfigurationError, LogUnavailableError, StoreUnavailableError: `cli.main` turns them into exit codes.
    """
    settings = load()
    if not fresh:
        require_deployment(settings)
    debugging = settings.log_level == "debug"
    configure("cli", "debug" if debugging else "warning")
    with nullcontext() if debugging else mute_logger("kafka"):  # it says at every try what the error says once
        engine = open_engine(settings)
        try:
            yield engine, settings
        finally:
            engine.close()


def require_deployment(settings: Settings) -> None:
    """Refuse an empty data directory. Raises ConfigurationError: no file of the embedded engine is in it."""
    if settings.engine == "embedded" and not any((settings.home / file).exists() for file in (LOG_FILE, REGISTRY_FILE)):
        message = (
            f"nothing of roomsync is in {settings.home.absolute()}: set ROOMSYNC_HOME to the services' data directory"
            " (or ROOMSYNC_ENGINE=kafka); the first `roomsync run all` makes it"
        )
        raise ConfigurationError(message)


@contextmanager
def mute_logger(library: str) -> Iterator[None]:
    """Keep the library from logging anything below CRITICAL while the block runs."""
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
