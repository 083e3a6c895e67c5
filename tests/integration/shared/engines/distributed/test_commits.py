"""What a commit asks of the brokers: it is they who are short of time when many partitions commit at once."""

from __future__ import annotations

import pytest
from kafka.producer.transaction_manager import AddPartitionsToTxnHandler

from shared.contracts.topics import ROOM_REJECTIONS, ROOM_STATUS, ROOM_STATUS_STATION
from shared.ports.log import NewRecord, StateChange
from tests.integration.shared.engines.distributed.conftest import Opened

pytestmark = pytest.mark.kafka


def test_all_partitions_of_a_commit_are_announced_to_the_coordinator_in_one_request(
    opened: Opened, partition: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[set[tuple[str, int]]] = []
    made = AddPartitionsToTxnHandler.__init__

    def counted(self: AddPartitionsToTxnHandler, manager: object, places: set[tuple[str, int]]) -> None:
        requests.append(set(places))
        made(self, manager, places)

    claim = opened().log.claim(ROOM_STATUS_STATION, partition)
    outputs = [NewRecord(topic.name, partition, b"m", b"{}") for topic in (ROOM_REJECTIONS, ROOM_STATUS)]
    claim.commit(outputs, [StateChange(b"m", b"{}")], {})
    monkeypatch.setattr(AddPartitionsToTxnHandler, "__init__", counted)
    for _ in range(5):
        claim.commit(outputs, [StateChange(b"m", b"{}")], {})
    claim.close()
    topics = ("meeting-state", "room-rejections", "room-status")
    assert requests == [{(f"own.{topic}", partition) for topic in topics}] * 5
