"""How a service that owns partitions runs: its claims in the foreground, health and metrics on a port beside them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence

from shared.contracts.topics import Station
from shared.ports.engine import Engine
from shared.ports.log import Claim
from shared.runtime.claims import EXIT_FATAL, ClaimLoop, PartitionOwner
from shared.runtime.crash_points import arm
from shared.runtime.health import health_app
from shared.runtime.http_connections import admission_from
from shared.runtime.logging import configure, get_logger
from shared.runtime.serving import serve_in_background
from shared.runtime.settings import Settings

Own = Callable[[Claim], PartitionOwner]
"""Builds the service's side of a claim; called once per claimed partition, in that partition's thread."""


def run_stateful(station: Station, settings: Settings, engine: Engine, *, own: Own, port: int | None = None) -> int:
    """Run one station in a process of its own; otherwise as `run_stations`."""
    return run_stations(station.service, [(station, own)], settings, engine, port=port)


def run_stations(
    name: str, stations: Sequence[tuple[Station, Own]], settings: Settings, engine: Engine, *, port: int | None = None
) -> int:
    """
    Run stateful services in this process until SIGTERM or SIGINT.

    Args:
        name: What the process is called in logs, and on its `ready` line.
        stations: At least one, and how each one's partitions are owned.
        port: For health and metrics; the workers' common `health_port`, if left out.

    Returns:
        0 after an orderly stop.
    """
    configure(name, settings.log_level)
    arm(settings.crash_at)
    get_logger().info("starting", **settings.shown())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loops = [ClaimLoop(engine.log, station, own) for station, own in stations]
    checks = {"log": engine.log.probe, "claims": lambda: _own(loops)}
    serve_in_background(
        health_app(name, checks),
        name,
        settings.health_port if port is None else port,
        host=settings.listen_host,
        admission=admission_from(settings),
    )
    _run(loops, stop)
    engine.close()
    return 0


def _run(loops: Sequence[ClaimLoop], stop: threading.Event) -> None:
    """The first in this thread, the others beside it. One that fails ends the process, as an owner that fails does."""
    beside = [threading.Thread(target=_run_beside, args=(loop, stop), daemon=True) for loop in loops[1:]]
    for thread in beside:
        thread.start()
    loops[0].run(stop)
    for thread in beside:
        thread.join()


def _run_beside(loop: ClaimLoop, stop: threading.Event) -> None:
    try:
        loop.run(stop)
    except Exception:  # noqa: BLE001  # whatever it is: a successor restores from the log
        get_logger().exception("station_failed")
        os._exit(EXIT_FATAL)


def _own(loops: Sequence[ClaimLoop]) -> None:
    if not all(loop.ready.is_set() for loop in loops):
        message = "no partition has been assigned yet"
        raise RuntimeError(message)
