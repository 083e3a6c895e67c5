"""Every Flask application of the product, without the servers and providers behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from services.portal.deps import Deps
from services.webhook_receiver.app import HookHandler, make_app
from services.webhook_receiver.intake import Intake
from shared.crypto.master import new_key, parse
from shared.engines.embedded import open_engine
from shared.grants.broker import ConsentBroker
from shared.runtime.breaker import Breaker
from shared.runtime.clock import SystemClock
from shared.runtime.health import health_app
from shared.runtime.settings import Settings
from simulator.app import create_app as create_simulator
from simulator.world import World
from tests.support.described_answers import described_portal


@contextmanager
def applications(home: Path) -> Iterator[dict[str, Flask]]:
    """Service name → its application; nobody is enrolled, no provider is configured. Data stands in `home`."""
    clock, master = SystemClock(), parse(new_key())
    engine = open_engine(home, partitions=1, prefix="", master=master, clock=clock)
    breaker = Breaker("log", engine.log.probe)
    broker = ConsentBroker(engine.registry, engine.keyring, Settings(), clock)
    hooks = HookHandler(Intake(lambda: engine.log, 1, clock, breaker), master.hook_keys(), clock)
    portal = Deps(
        settings=Settings(), engine=engine, clock=clock, broker=broker, providers={}, session_key=master.session_key()
    )
    try:
        yield {
            "portal": described_portal(portal),
            "webhook-receiver": make_app(hooks, {}),
            "workers": health_app("worker", {}),
            "simulator": create_simulator(World()),
        }
    finally:
        breaker.close()
        engine.close()
