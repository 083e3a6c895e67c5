"""An engine for the length of one command."""

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
def opened_engine(*, fresh: bool = False) -> Iterator[tuple[Engine, Settings]]:
    """
    Settings and engine; closed afterwards. Logs of a command are warnings on stderr: stdout is its answer.

    Args:
        fresh: Whether an empty house will do. Else none is made: a command in the wrong directory would find all well.

    Raises:
        ConfigurationError, LogUnavailableError, StoreUnavailableError: `cli.main` turns them into exit codes.
    """
    settings = load()
    if not fresh:
        insist(settings)
    debugging = settings.log_level == "debug"
    configure("cli", "debug" if debugging else "warning")
    with nullcontext() if debugging else quiet("kafka"):  # it says at every try what the error says once
        engine = open_engine(settings)
        try:
            yield engine, settings
        finally:
            engine.close()


def insist(settings: Settings) -> None:
    """Raises ConfigurationError: the data directory holds nothing of the embedded engine's."""
    if settings.engine == "embedded" and not any((settings.home / file).exists() for file in (LOG_FILE, REGISTRY_FILE)):
        message = (
            f"nothing of roomsync is in {settings.home.absolute()}: set ROOMSYNC_HOME to the services' data directory"
            " (or ROOMSYNC_ENGINE=kafka); the first `roomsync run all` makes it"
        )
        raise ConfigurationError(message)


@contextmanager
def quiet(library: str) -> Iterator[None]:
    """Nothing below a catastrophe is said by the library."""
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
