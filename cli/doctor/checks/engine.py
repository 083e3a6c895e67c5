"""The engine: log, views, registry and keyring can be reached, and were made with these settings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from cli.common.mailboxes import list_readable_tenants
from cli.doctor.checks.audit import check_audit
from cli.doctor.checks.check_result import CheckResult, CheckState
from cli.doctor.checks.grants import check_grants
from cli.doctor.checks.records import check_records
from shared.engines.bound_registry import BoundRegistry
from shared.errors import ConfigurationError, KeyDestroyedError, RoomsyncError
from shared.organisations.enrolment import NOBODY
from shared.ports.engine import Engine
from shared.runtime.clock import clock_from
from shared.runtime.redaction import mask_text
from shared.runtime.settings import Settings
from shared.runtime.wiring import master_keys, open_engine

_REDIS_PORT = 6379
_PUT_BACK = "put that one back, behind the current one; once `roomsync keys rewrap` has run it may be taken out"
_REMEDIES = {
    "embedded": "look at the rights and free space of ROOMSYNC_HOME; it must be on a local disk",
    "kafka": "look at ROOMSYNC_KAFKA_BOOTSTRAP, ROOMSYNC_VIEW_REDIS_URL, ROOMSYNC_REGISTRY_REDIS_URL, and whether they run",
}


def check_engine(settings: Settings) -> Iterator[CheckResult]:
    """Each part of the engine, asked something harmless."""
    if settings.engine == "embedded" and not settings.home.exists():
        yield CheckResult("engine", CheckState.OK, "its files will be made at the first start")
        return
    if settings.engine == "kafka" and _split_address(settings.view_redis_url) == _split_address(
        settings.registry_redis_url
    ):
        text = "views and registry are on one server: who empties the views, as may be done, empties the registry and its keys"
        yield CheckResult(
            "redis servers",
            CheckState.WRONG,
            text,
            "give ROOMSYNC_REGISTRY_REDIS_URL a server of its own, kept on disk",
        )
    try:
        engine = open_engine(settings)
    except ConfigurationError as error:
        yield CheckResult("engine", CheckState.UNUSABLE, mask_text(str(error)))
        return
    try:
        foreign = list(_find_foreign_keys(engine, settings))
        probes = {
            name: ask for name, ask in _list_probes(engine).items() if name not in {each.name for each in foreign}
        }
        probed = [*(_run_probe(name, ask, _REMEDIES[settings.engine]) for name, ask in probes.items()), *foreign]
        yield from probed
        if all(
            each.state is not CheckState.UNUSABLE for each in probed
        ):  # another master key binds every row otherwise
            yield from _list_refused_rows(engine)
            yield from check_grants(engine.registry, clock_from(settings.test_clock).now_ms())
            yield from check_audit(engine.registry, clock_from(settings.test_clock).now_ms())
        if {"log", "keyring"} <= {each.name for each in probed if each.state is CheckState.OK}:
            yield from check_records(engine)
    finally:
        engine.close()


def _split_address(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or _REDIS_PORT


def _list_probes(engine: Engine) -> dict[str, Callable[[], object]]:
    return {
        "log": lambda: engine.log.probe(),  # noqa: PLW0108  # each part opens when asked: not before
        "view": lambda: engine.view.applied(0),
        "registry": lambda: list_readable_tenants(engine.registry),
        "keyring": lambda: _open_every_key(engine),
    }


def _open_every_key(engine: Engine) -> None:
    """Open each organisation's keys: the wrong master key is found here, not by workers that put every record aside."""
    for tenant in (NOBODY, *list_readable_tenants(engine.registry)):
        with contextlib.suppress(KeyDestroyedError):
            engine.keyring.keys(tenant)


def _find_foreign_keys(engine: Engine, settings: Settings) -> Iterator[CheckResult]:
    """Other master keys than those that bound the rows: nothing opens, and nothing else is to be said of the keys."""
    with contextlib.suppress(RoomsyncError):  # that it cannot be reached is said by its probe
        found = engine.registry.foreign_keys() if isinstance(engine.registry, BoundRegistry) else {}
        for name, rows in found.items():
            text = (
                f"the master key {name!r} of ROOMSYNC_MASTER_KEY is not the key of that name that bound {rows} rows of the registry"
                " (another deployment's?)"
                if name in master_keys(settings).ring
                else f"{rows} rows of the registry are bound by master key {name!r}, which ROOMSYNC_MASTER_KEY does not hold"
            )
            yield CheckResult("keyring", CheckState.UNUSABLE, text, _PUT_BACK)


def _refused_rows(engine: Engine) -> Sequence[tuple[str, str, str, str]]:
    return engine.registry.refused() if isinstance(engine.registry, BoundRegistry) else ()


def _list_refused_rows(engine: Engine) -> Iterator[CheckResult]:
    """Rows of the registry that stand where they were not written: each is refused by whoever reads it."""
    with contextlib.suppress(RoomsyncError):  # that it cannot be reached has been said
        for table, tenant, row, _ in _refused_rows(engine):
            yield CheckResult(
                "registry rows",
                CheckState.WRONG,
                f"{table}/{tenant}/{row} was written for another place, altered beside us, or is bound to none",
                "find out who writes to the store; then restore the row from a backup, or delete it",
            )


def _run_probe(name: str, ask: Callable[[], object], remedy: str) -> CheckResult:
    try:
        ask()
    except ConfigurationError as error:
        return CheckResult(name, CheckState.UNUSABLE, mask_text(str(error)))
    except RoomsyncError as error:
        return CheckResult(name, CheckState.AWAY, mask_text(str(error)), remedy)
    return CheckResult(name, CheckState.OK, "answers")
