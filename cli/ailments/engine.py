"""The engine: log, views, registry and keyring can be reached, and were made with these settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cli.ailments.finding import Finding, State
from shared.consents.enrolment import NOBODY
from shared.consents.tables import directories
from shared.errors import ConfigurationError, KeyDestroyedError, RoomsyncError
from shared.ports.engine import Engine
from shared.runtime.redaction import masked
from shared.runtime.settings import Settings
from shared.runtime.wiring import open_engine

_REMEDIES = {
    "embedded": "look at the rights and free space of ROOMSYNC_HOME; it must be on a local disk",
    "kafka": "look at ROOMSYNC_KAFKA_BOOTSTRAP, ROOMSYNC_VIEW_REDIS_URL, ROOMSYNC_REGISTRY_REDIS_URL, and whether they run",
}


def findings(settings: Settings) -> Iterator[Finding]:
    """Each part of the engine, asked something harmless."""
    if settings.engine == "embedded" and not settings.home.exists():
        yield Finding("engine", State.OK, "its files will be made at the first start")
        return
    try:
        engine = open_engine(settings)
    except ConfigurationError as error:
        yield Finding("engine", State.UNUSABLE, masked(str(error)))
        return
    try:
        for name, ask in _questions(engine).items():
            yield _asked(name, ask, _REMEDIES[settings.engine])
    finally:
        engine.close()


def _questions(engine: Engine) -> dict[str, Callable[[], object]]:
    return {
        "log": lambda: engine.log.probe(),  # noqa: PLW0108  # each part opens when asked: not before
        "view": lambda: engine.view.applied(0),
        "registry": lambda: list(directories(engine.registry).scan(NOBODY)),
        "keyring": lambda: _unknown_tenant(engine),
    }


def _unknown_tenant(engine: Engine) -> None:
    try:
        engine.keyring.keys(NOBODY)
    except KeyDestroyedError:
        return


def _asked(name: str, ask: Callable[[], object], remedy: str) -> Finding:
    try:
        ask()
    except ConfigurationError as error:
        return Finding(name, State.UNUSABLE, masked(str(error)))
    except RoomsyncError as error:
        return Finding(name, State.AWAY, masked(str(error)), remedy)
    return Finding(name, State.OK, "answers")
