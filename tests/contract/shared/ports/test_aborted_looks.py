"""A look whose commit was torn is not there for anybody: neither what it saw nor what it would have remembered."""

from __future__ import annotations

import pytest

from shared.contracts.topics import OBSERVATIONS, ROOM_STATUS_STATION, SYNC_WORKER
from shared.errors import FencedError
from shared.ports.log import NewRecord, StateChange
from tests.contract.conftest import EngineFactory
from tests.contract.features import Features
from tests.contract.waiting import eventually

TORN, WHOLE = b"torn", b"whole"


def dies(point: str) -> None:
    if point == "sync-worker.stated":
        message = "died here"
        raise RuntimeError(message)


@pytest.mark.proves("D5")
def test_what_a_torn_look_saw_is_not_folded_by_anybody(
    engine_factory: EngineFactory, features: Features, partition: int
) -> None:
    torn = engine_factory(at_point=dies).log.claim(SYNC_WORKER, partition)
    with pytest.raises((RuntimeError, FencedError)):
        torn.commit([_saw(partition, TORN)], [StateChange(b"t/m/e", TORN)], {})
    successor = engine_factory().log.claim(SYNC_WORKER, partition)
    assert successor.state == {}
    successor.commit([_saw(partition, WHOLE)], [StateChange(b"t/m/e", WHOLE)], {})
    reader = engine_factory().log.claim(ROOM_STATUS_STATION, partition)
    seen: list[bytes | None] = []

    def all_read() -> bool:
        seen.extend(record.value for record in reader.read(0.05))
        return WHOLE in seen

    eventually(all_read, within_s=features.visible_s + 10)
    assert seen == [WHOLE]


def _saw(partition: int, value: bytes) -> NewRecord:
    return NewRecord(OBSERVATIONS.name, partition, b"t/m", value)
