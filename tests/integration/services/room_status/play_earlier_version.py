"""
Run by the code of 0.1.0, out of this repository's history, in a process of its own: fills a deployment.

`python play_earlier_version.py NOW_MS` with `PYTHONPATH` naming the old tree and the settings in the environment. Prints the
tenant's id.
"""

from __future__ import annotations

import sys

from shared.consents.enrolment import enrol, enter_rooms
from tests.builders import an_observation

from services.room_status.worker import RoomStatusOwner
from shared.contracts import observation
from shared.contracts.rows import RoomRow
from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION
from shared.crypto.records import sealed_envelope
from shared.engines.distributed import ensure_topics
from shared.ports.log import NewRecord
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine


class Still:
    """A clock that stands."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms


def main() -> None:
    """Fold what is told, quiet, accepted, and out of sight when the old version stops."""
    now_ms = int(sys.argv[1])
    clock, settings = Still(now_ms), load()
    if settings.engine == "kafka":
        ensure_topics(settings.kafka_bootstrap, prefix=settings.topic_prefix, partitions=1, replication=1)
    engine = open_engine(settings)
    tenant = enrol(engine.registry, engine.keyring, provider="microsoft", directory="d", name="Old")
    enter_rooms(engine.registry, engine.keyring, tenant, [RoomRow(address="aare@rooms.old.test", name="Aare")])
    keys = engine.keyring.keys(tenant)
    said = [
        an_observation(meeting="m-stays", baseline=True, told="none", quiet="declined", fine="accepted"),
        an_observation(meeting="m-stays", told="declined", quiet="declined", fine="accepted", at_ms=now_ms + 1),
        an_observation(meeting="m-left", baseline=True, told="none"),
        an_observation(meeting="m-left", told="declined", at_ms=now_ms + 1),
        an_observation(meeting="m-left", withdrawn=True, at_ms=now_ms + 2),
    ]
    engine.log.append(
        [
            NewRecord(
                OBSERVATIONS.name,
                0,
                f"{tenant}/{each.meeting}".encode(),
                sealed_envelope(keys, each, type=observation.TYPE, id=f"o-{number}"),
            )
            for number, each in enumerate(said)
        ]
    )
    owner = RoomStatusOwner(engine.log.claim(ROOM_STATUS_STATION, 0), engine, clock, poll_s=0.0)
    for _ in range(4):
        owner.step()
    engine.close()
    print(tenant)


if __name__ == "__main__":
    main()
