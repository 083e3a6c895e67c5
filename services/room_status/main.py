"""Wires room_status: the engine, the claims, and a port for health and metrics."""

from __future__ import annotations

from services.room_status.deciding.fold import rules_with
from services.room_status.worker import RoomStatusOwner
from shared.contracts.topics import ROOM_STATUS_STATION
from shared.ports.log import Claim
from shared.runtime.clock import clock_from
from shared.runtime.settings import load
from shared.runtime.stateful import run_stateful
from shared.runtime.wiring import open_engine


def main() -> int:
    """Run until SIGTERM. Exit code 0; 70 when a successor has to take over."""
    settings = load()
    engine = open_engine(settings)
    clock = clock_from(settings.test_clock)
    tail_check = settings.test_without != "tail-check"

    rules = rules_with(settings.grace_ms)

    def own(claim: Claim) -> RoomStatusOwner:
        return RoomStatusOwner(claim, engine, clock, tail_check=tail_check, rules=rules)

    return run_stateful(ROOM_STATUS_STATION, settings, engine, own=own)
