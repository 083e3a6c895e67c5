"""How a service that owns partitions runs: its claims in the foreground, health and metrics on a port beside them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from shared.contracts.topics import Station
from shared.ports.engine import Engine
from shared.ports.log import Claim
from shared.runtime.claims import ClaimLoop, PartitionOwner
from shared.runtime.crash_points import arm
from shared.runtime.health import health_app
from shared.runtime.http_connections import admission_from
from shared.runtime.logging import configure, get_logger
from shared.runtime.serving import serve_in_background
from shared.runtime.settings import Settings


def run_stateful(
    station: Station,
    settings: Settings,
    engine: Engine,
    *,
    own: Callable[[Claim], PartitionOwner],
    port: int | None = None,
) -> int:
    """
    Run a stateful service until SIGTERM or SIGINT.

    Args:
        own: Builds the service's side of a claim; called once per claimed partition, in that partition's thread.
        port: For health and metrics; the workers' common `health_port`, if left out.

    Returns:
        0 after an orderly stop.
    """
    configure(station.service, settings.log_level)
    arm(settings.crash_at)
    get_logger().info("starting", **settings.shown())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loop = ClaimLoop(engine.log, station, own)
    checks = {"log": engine.log.probe, "claims": lambda: _owns(loop)}
    serve_in_background(
        health_app(station.service, checks),
        station.service,
        settings.health_port if port is None else port,
        host=settings.listen_host,
        admission=admission_from(settings),
    )
    loop.run(stop)
    engine.close()
    return 0


def _owns(loop: ClaimLoop) -> None:
    if not loop.ready.is_set():
        message = "no partition has been assigned yet"
        raise RuntimeError(message)
