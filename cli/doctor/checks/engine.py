"""The engine: log, views, registry and keyring can be reached, and were made with these settings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from cli.common.mailboxes import tenants_of
from cli.doctor.checks.finding import Finding, State
from shared.errors import ConfigurationError, KeyDestroyedError, RoomsyncError
from shared.organisations.enrolment import NOBODY
from shared.ports.engine import Engine
from shared.registry.tables import directories
from shared.runtime.redaction import masked
from shared.runtime.settings import Settings
from shared.runtime.wiring import open_engine

_REDIS_PORT = 6379
_REMEDIES = {
    "embedded": "look at the rights and free space of ROOMSYNC_HOME; it must be on a local disk",
    "kafka": "look at ROOMSYNC_KAFKA_BOOTSTRAP, ROOMSYNC_VIEW_REDIS_URL, ROOMSYNC_REGISTRY_REDIS_URL, and whether they run",
}


def findings(settings: Settings) -> Iterator[Finding]:
    """Each part of the engine, asked something harmless."""
    if settings.engine == "embedded" and not settings.home.exists():
        yield Finding("engine", State.OK, "its files will be made at the first start")
        return
    if settings.engine == "kafka" and _server(settings.view_redis_url) == _server(settings.registry_redis_url):
        said = "views and registry are on one server: who empties the views, as may be done, empties the registry and its keys"
        yield Finding(
            "redis servers", State.WRONG, said, "give ROOMSYNC_REGISTRY_REDIS_URL a server of its own, kept on disk"
        )
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


def _server(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _REDIS_PORT


def _questions(engine: Engine) -> dict[str, Callable[[], object]]:
    return {
        "log": lambda: engine.log.probe(),  # noqa: PLW0108  # each part opens when asked: not before
        "view": lambda: engine.view.applied(0),
        "registry": lambda: list(directories(engine.registry).scan(NOBODY)),
        "keyring": lambda: _every_key(engine),
    }


def _every_key(engine: Engine) -> None:
    """Open each organisation's keys: the wrong master key is found here, not by workers that put every record aside."""
    for tenant in (NOBODY, *tenants_of(engine.registry)):
        with contextlib.suppress(KeyDestroyedError):
            engine.keyring.keys(tenant)


def _asked(name: str, ask: Callable[[], object], remedy: str) -> Finding:
    try:
        ask()
    except ConfigurationError as error:
        return Finding(name, State.UNUSABLE, masked(str(error)))
    except RoomsyncError as error:
        return Finding(name, State.AWAY, masked(str(error)), remedy)
    return Finding(name, State.OK, "answers")
