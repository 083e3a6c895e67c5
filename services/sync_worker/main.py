"""Wires sync_worker: the engine, the providers, the pool of looks, and the claims."""

from __future__ import annotations

import threading

from services.sync_worker.housekeeping.sweep import Sweep
from services.sync_worker.looking.pool import PriorityPool
from services.sync_worker.wiring import assemble
from shared.contracts.topics import SYNC_WORKER
from shared.providers.catalogue import calendar_providers
from shared.runtime.clock import clock_from
from shared.runtime.measured import MeasuredProviders
from shared.runtime.settings import load
from shared.runtime.stateful import run_stateful
from shared.runtime.wiring import master_keys, open_engine

LOOKS_AT_ONCE = 8


def main() -> int:
    """Run until SIGTERM. Exit code 0; 70 when a successor has to take over."""
    settings = load()
    engine = open_engine(settings)
    clock = clock_from(settings.test_clock)
    worker = assemble(
        settings,
        engine,
        clock,
        providers=MeasuredProviders(calendar_providers(settings)),
        hook_keys=master_keys(settings).hook_keys(),
        pool=PriorityPool(LOOKS_AT_ONCE),
    )
    stop = threading.Event()
    sweep = Sweep(engine, clock, worker.endings)
    sweeper = threading.Thread(target=sweep.run, args=(stop,), name="sweep", daemon=True)
    sweeper.start()
    try:
        return run_stateful(SYNC_WORKER, settings, engine, own=worker.own)
    finally:
        stop.set()
