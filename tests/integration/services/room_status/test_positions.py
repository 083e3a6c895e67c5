"""Facts that change nothing are passed for good, before retention takes them away."""

from __future__ import annotations

from pathlib import Path

from services.room_status.worker import INPUT, RoomStatusOwner
from shared.contracts import observation
from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.domain.instants import HOUR_MS
from shared.engines.embedded import open_engine
from shared.ports.log import NewRecord
from tests.contract.deployments import ManualClock
from tests.support.builders import NOW_MS, an_observation


def test_the_position_follows_within_an_hour_though_nothing_changes(tmp_path: Path) -> None:
    clock = ManualClock(NOW_MS)
    engine = open_engine(tmp_path, partitions=1, prefix="", master=parse(new_key()), clock=clock)
    keys = engine.keyring.create("t-1")
    owner = RoomStatusOwner(engine.log.claim(ROOM_STATUS_STATION, 0), engine, clock, poll_s=0.0)
    for number in range(3):
        key, seen = b"t-1/m-planning", an_observation(at_ms=NOW_MS)
        value = sealed_envelope(keys, seen, key=key, type=observation.TYPE, id=f"o-{number}")
        engine.log.append([NewRecord(OBSERVATIONS.name, 0, key, value)])
        owner.step()
    end = engine.log.span(OBSERVATIONS.name, 0).end
    assert owner._claim.position.get(INPUT, 0) < end  # the repeated ones said nothing new, so nothing was written
    clock.at_ms += HOUR_MS + 1
    owner.step()
    assert owner._claim.position[INPUT] == end
    owner.close()
    engine.close()
