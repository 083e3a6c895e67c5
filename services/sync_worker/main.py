"""Wires sync_worker: the engine, both providers, the pool of looks, and the claims."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from services.sync_worker.deciding.mailbox import Pace
from services.sync_worker.housekeeping.sweep import Sweep
from services.sync_worker.looking.look import Addresses, Looker
from services.sync_worker.looking.own_data import OwnData
from services.sync_worker.looking.room_addresses import RoomIds
from services.sync_worker.looking.take import TakeRooms
from services.sync_worker.worker import SyncOwner
from shared.contracts.topics import SYNC_WORKER
from shared.domain.instants import SECOND_MS
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.ports.log import Claim
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
    broker = ConsentBroker(engine.registry, engine.keyring, settings, clock)
    providers = MeasuredProviders(calendar_providers(settings))
    endings = Endings(engine.registry, engine.keyring, broker, providers, clock)
    looker = Looker(
        broker=broker,
        providers=providers,
        endings=endings,
        take=TakeRooms(engine.registry, engine.keyring),
        hook_keys=master_keys(settings).hook_keys(),
        addresses=Addresses.under(settings.receiver_url),
        clock=clock,
    )
    pool = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="look")
    rooms = RoomIds(engine.registry, clock)
    own_data = OwnData(engine.registry, engine.keyring, broker, providers)

    def pace_of(provider: str) -> Pace:
        return Pace(
            reconcile_ms=int(settings.reconcile_s * SECOND_MS),
            pending_silent_ms=int(settings.pending_silent_s * SECOND_MS),
            grace_ms=settings.grace_ms(provider),
        )

    def own(claim: Claim) -> SyncOwner:
        return SyncOwner(
            claim,
            engine,
            clock,
            looker=looker,
            broker=broker,
            pool=pool,
            rooms_of=rooms.of,
            pace_of=pace_of,
            own_data=own_data,
        )

    stop = threading.Event()
    sweep = Sweep(engine, clock, endings)
    sweeper = threading.Thread(target=sweep.run, args=(stop,), name="sweep", daemon=True)
    sweeper.start()
    try:
        return run_stateful(SYNC_WORKER, settings, engine, own=own)
    finally:
        stop.set()
