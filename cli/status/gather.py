"""Reads every part of the screen from its store at the same time, within a given time."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.status import stores
from cli.status.facts import Facts, ServiceLag
from cli.status.lag import discount_unchanging, find_last_push_ms, measure_lag
from cli.status.services import ask_services, choose_addresses
from shared.contracts.topics import NOTIFIER, ROOM_STATUS_STATION, SYNC_WORKER, WEBHOOKS, Station
from shared.domain.instants import SECOND_MS
from shared.errors import LogUnavailableError, StoreUnavailableError
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.providers.catalogue import PROFILES
from shared.registry import tables
from shared.runtime.redaction import mask_text
from shared.runtime.settings import Settings
from shared.runtime.version import product_version

LOG, VIEW, REGISTRY = "log", "view", "registry"
_TOPICS = {provider: profile.hooks.topic for provider, profile in PROFILES.items()}
_SEALED = "sealed"  # the lane of what needs keys: slower, and nothing else waits for it
_PROBE_S = 3.0
_LANE = "status-"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the screen: which stores it needs, how it is read, and where it goes."""

    name: str
    needs: tuple[str, ...]
    read: Callable[[], Any]
    keep: Callable[[Any], None]
    lane: str
    """Parts of one lane are read one after the other, over one connection."""
    again: bool = True
    """Whether to try again what failed."""


def gather_facts(engine: Engine, settings: Settings, clock: Clock, urls: Iterable[str], *, timeout_s: float) -> Facts:
    """
    Gather every fact that can be read within `timeout_s`.

    A store that does not answer a probe is not asked again for each part: its name and fault stand in `unreachable`.
    """
    facts = Facts(clock.now_ms(), settings.engine, product_version())
    _run_lanes(_probes(engine), facts, _PROBE_S)
    parts = [part for part in _parts(engine, settings, facts, urls) if not facts.unreachable.keys() & {*part.needs}]
    _run_lanes(parts, facts, timeout_s)
    return facts


def find_hung_threads() -> list[threading.Thread]:
    """Return the threads that still wait for a store: the engine must not be closed under them."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(_LANE)]


def _probes(engine: Engine) -> list[Part]:
    def nothing(_: object) -> None:
        """Keep nothing: it matters only that the store answered."""

    return [
        Part("log", (LOG,), functools.partial(_probe, engine), nothing, LOG, again=False),
        Part("view", (VIEW,), lambda: engine.view.applied(0), nothing, VIEW, again=False),
        Part(
            "registry",
            (REGISTRY,),
            lambda: tables.tenants(engine.registry).get("-", "-"),
            nothing,
            REGISTRY,
            again=False,
        ),
    ]


def _parts(engine: Engine, settings: Settings, facts: Facts, urls: Iterable[str]) -> Iterator[Part]:
    """Yield the parts, those that need only the log first: it answers soonest and says most."""
    now_ms, reconcile_ms = facts.now_ms, int(settings.reconcile_s * SECOND_MS)
    webhooks = ((WEBHOOKS, LOG),) if settings.sends_webhooks else ()
    for station, lane in ((SYNC_WORKER, LOG), (ROOM_STATUS_STATION, _SEALED), (NOTIFIER, LOG), *webhooks):
        yield Part(
            f"{station.service} lag", (LOG,), functools.partial(_measure_lag, engine, station, now_ms),
            functools.partial(facts.stations.__setitem__, station.service), lane,
        )  # fmt: skip
    yield Part("dead letters", (LOG,), lambda: stores.count_dead_letters(engine), facts.setter("letters"), LOG)
    for provider, topic in _TOPICS.items():
        yield Part(
            f"last push of {provider}", (LOG,), functools.partial(_find_last_push, engine, topic.name),
            functools.partial(facts.last_push.__setitem__, str(provider)), LOG,
        )  # fmt: skip
    yield Part(
        "mailboxes", (LOG, REGISTRY), lambda: stores.count_mailboxes(engine, reconcile_ms=reconcile_ms, now_ms=now_ms),
        facts.setter("watched"), _SEALED,
    )  # fmt: skip
    yield Part(
        "organisations", (LOG, REGISTRY), lambda: stores.is_registry_emptied(engine), facts.setter("emptied"), REGISTRY
    )
    yield Part(
        "prompts", (LOG, REGISTRY), lambda: stores.count_open_prompts(engine, grace_ms=settings.grace_ms, now_ms=now_ms),
        facts.setter("open_prompts"), _SEALED,
    )  # fmt: skip
    yield Part(
        "confirmed", (VIEW, REGISTRY), lambda: stores.count_confirmed(engine, now_ms=now_ms),
        facts.setter("confirmed"), "states",
    )  # fmt: skip
    yield Part("view", (LOG, VIEW), lambda: stores.find_rebuilding_partitions(engine), facts.setter("rebuilding"), VIEW)
    yield Part(
        "consents", (REGISTRY,), lambda: stores.count_grants(engine.registry), facts.setter("consents"), REGISTRY
    )
    yield Part(
        "refusals", (REGISTRY,), lambda: stores.find_common_refusals(engine.registry),
        facts.setter("refused_at_once"), REGISTRY,
    )  # fmt: skip
    yield Part(
        "services",
        (),
        lambda: ask_services(choose_addresses(settings, urls)),
        facts.setter("services"),
        "services",
    )


def _probe(engine: Engine) -> None:
    engine.log.probe()


def _measure_lag(engine: Engine, station: Station, now_ms: int) -> ServiceLag:
    lag = measure_lag(engine.log, station, now_ms)
    if station is not ROOM_STATUS_STATION or not lag.records:
        return lag
    try:
        return discount_unchanging(engine, lag)
    except StoreUnavailableError:
        return lag  # an upper bound: nothing can be opened without the keys


def _find_last_push(engine: Engine, topic: str) -> int | None:
    return find_last_push_ms(engine.log, topic)


def _run_lanes(parts: list[Part], facts: Facts, timeout_s: float) -> None:
    """Read the parts of each lane in a thread of its own. One that hangs costs the rest of its lane only."""
    deadline_s = time.monotonic() + timeout_s
    outcomes: dict[str, Any] = {}
    lanes = [
        threading.Thread(
            target=_read_parts,
            args=([part for part in parts if part.lane == lane], outcomes, facts.hesitant, deadline_s),
            name=f"{_LANE}{lane}",
            daemon=True,
        )
        for lane in dict.fromkeys(part.lane for part in parts)
    ]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join(max(0.0, deadline_s - time.monotonic()))
    for part in parts:
        _store_outcome(part, outcomes.get(part.name, TimeoutError(f"no answer within {timeout_s:g} s")), facts)


def _read_parts(parts: list[Part], outcomes: dict[str, Any], hesitant: list[str], deadline_s: float) -> None:
    """Read the parts of one lane; try again what failed, while time is left: one broker of three may be away."""
    waiting = parts
    while waiting and time.monotonic() < deadline_s:
        for part in waiting:
            if time.monotonic() >= deadline_s:
                return  # nobody waits for it any more
            outcomes[part.name] = _try_part(part)
        away = (LogUnavailableError, StoreUnavailableError)
        waiting = [part for part in waiting if isinstance(outcomes[part.name], away) and part.again]
        hesitant += [part.name for part in waiting]


def _try_part(part: Part) -> Any:
    """Read a part. Returns a tuple of what was read, or the error."""
    try:
        return (part.read(),)
    except Exception as error:  # noqa: BLE001  # whatever fails, the rest of the screen is shown
        return error


def _store_outcome(part: Part, outcome: Any, facts: Facts) -> None:
    if isinstance(outcome, tuple):
        part.keep(outcome[0])
        return
    blamed = _find_blamed_store(part, outcome)
    fault = mask_text((str(outcome).splitlines() or [""])[0] or type(outcome).__name__)
    if blamed:
        facts.unreachable.setdefault(blamed, fault)
    else:
        facts.unseen[part.name] = fault


def _find_blamed_store(part: Part, error: Exception) -> str:
    """Return the store that is away; "" when the error is not about a store."""
    if isinstance(error, LogUnavailableError):
        return LOG
    if isinstance(error, StoreUnavailableError):
        return VIEW if VIEW in part.needs else REGISTRY
    if isinstance(error, TimeoutError) and len(part.needs) == 1:
        return part.needs[0]
    return ""
