"""Puts the parts of sync_worker together over an engine: for its own process, and for one process that plays a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from services.sync_worker.deciding.audit_rotation import AuditRotation
from services.sync_worker.deciding.mailbox import Pace
from services.sync_worker.looking.day_zones import DayZones
from services.sync_worker.looking.look import Addresses, Looker
from services.sync_worker.looking.own_data import OwnData
from services.sync_worker.looking.room_addresses import RoomAddresses
from services.sync_worker.looking.take import TakeRooms
from services.sync_worker.worker import POLL_S, SyncOwner
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, SECOND_MS
from shared.domain.proof import HookKeys
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.grants.reminders import CalendarReminders
from shared.ports.calendar import CalendarProvider
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim
from shared.runtime.measured import refusal_circuits
from shared.runtime.settings import Settings

MakeOwner = Callable[[Claim], SyncOwner]


@dataclass(frozen=True, slots=True)
class SyncWorker:
    """What one process of sync_worker is made of."""

    broker: ConsentBroker
    endings: Endings
    own: MakeOwner
    """Makes the owner of a claimed partition."""


def assemble(
    settings: Settings,
    engine: Engine,
    clock: Clock,
    *,
    providers: Mapping[Provider, CalendarProvider],
    hook_keys: HookKeys,
    pool: Executor,
    broker: ConsentBroker | None = None,
    poll_s: float = POLL_S,
) -> SyncWorker:
    """
    Put a sync worker together; nothing is asked of a store or provider yet.

    Args:
        settings: Addresses, paces, deadlines.
        engine: The stores.
        clock: The time.
        providers: Calendar clients by provider.
        hook_keys: Prove the notifications of subscriptions that are made.
        pool: Where looks run.
        broker: People's grants; by default one with a token endpoint of its own.
        poll_s: How long a step of an owner may wait for input, in seconds.
    """
    broker = broker or ConsentBroker(engine.registry, engine.keyring, settings, clock, observe=refusal_circuits)
    endings = Endings(engine.registry, engine.keyring, broker, providers, clock)
    rooms = RoomAddresses(engine.registry, clock)
    looker = Looker(
        broker=broker,
        providers=providers,
        endings=endings,
        reminders=CalendarReminders(engine.registry),
        take=TakeRooms(engine.registry, engine.keyring),
        zones=DayZones(engine.registry),
        hook_keys=hook_keys,
        addresses=Addresses.under(settings.receiver_url),
        clock=clock,
        ahead_ms=settings.window_days * DAY_MS,
    )
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
            audits=AuditRotation(
                cycle_ms=int(settings.audit_cycle_s * SECOND_MS),
                calls_per_minute=settings.audit_calls_per_minute / engine.log.partitions,
            ),
            poll_s=poll_s,
        )

    return SyncWorker(broker, endings, own)
