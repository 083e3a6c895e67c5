"""Finding a decline by its id costs the same however many partitions the topic has and however many declines it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest

from services.portal.decline_feed.decline_log import DeclineIndex
from shared.contracts.room_declined import RoomDeclined, RoomDeclinedData
from shared.contracts.topics import ROOM_REJECTIONS
from shared.ports.log import Log, Record, Span


def event(name: str) -> bytes:
    data = RoomDeclinedData(
        tenant_id="t", meeting_ref="m", occurrence_ref="o", room_id="r", organizer_id="p", provider="google", ask="a",
        repeat=0, observed_at="2026-11-20T00:00:00Z", href=f"/v1/room-rejections/{name}",
    )  # fmt: skip
    return msgspec.json.encode(
        RoomDeclined(
            id=name, source="/tenants/t", subject="rooms/r", time=data.observed_at, partitionkey="m", data=data
        )
    )


@dataclass
class CountingLog:
    """A log in memory that counts what it is asked."""

    partitions: int
    records: dict[int, list[Record]] = field(default_factory=dict)
    begin: dict[int, int] = field(default_factory=dict)
    calls: int = 0
    handed_out: int = 0

    def add(self, partition: int, name: str) -> None:
        held = self.records.setdefault(partition, [])
        held.append(Record(ROOM_REJECTIONS.name, partition, len(held), b"k", event(name), (), 0))

    def read(self, _topic: str, partition: int, offset: int, *, limit: int = 500, **_: Any) -> Sequence[Record]:
        self.calls += 1
        first = max(offset, self.begin.get(partition, 0))
        found = self.records.get(partition, [])[first : first + limit]
        self.handed_out += len(found)
        return found

    def span(self, _topic: str, partition: int, **_: Any) -> Span:
        self.calls += 1
        return Span(self.begin.get(partition, 0), len(self.records.get(partition, [])))

    def topic_id(self, _topic: str) -> str:
        return "one"


def filled(partitions: int, each: int) -> tuple[CountingLog, DeclineIndex]:
    log = CountingLog(partitions)
    for partition in range(partitions):
        for n in range(each):
            log.add(partition, f"d-{partition}-{n}")
    index = DeclineIndex(cast("Log", log))
    assert index.find("d-unknown") is None
    log.calls = log.handed_out = 0
    return log, index


@pytest.mark.parametrize(("partitions", "each"), [(1, 10), (48, 10), (1, 2_000), (48, 100)])
def test_a_known_id_costs_one_read_whatever_stands_on_the_topic(partitions: int, each: int) -> None:
    log, index = filled(partitions, each)
    for n in (0, each - 1):
        found = index.find(f"d-{partitions - 1}-{n}")
        assert found is not None
        assert found.id == f"d-{partitions - 1}-{n}"
    assert (log.calls, log.handed_out) == (2, 2)


def test_an_unknown_id_reads_only_what_was_appended_since() -> None:
    log, index = filled(4, 500)
    log.add(2, "d-new")
    assert index.find("d-new") is not None
    assert log.handed_out == 2  # the new record, once for the index and once for the answer
    assert log.calls <= 4 + 2


def test_what_retention_took_is_not_found_and_leaves_the_index() -> None:
    log, index = filled(1, 3)
    log.begin[0] = 2
    assert index.find("d-0-0") is None
    assert index.find("d-0-2") is not None
    assert len(index._positions) == 2


def test_the_index_is_bounded_and_forgets_the_oldest() -> None:
    log = CountingLog(1)
    for n in range(20):
        log.add(0, f"d-{n}")
    index = DeclineIndex(cast("Log", log), most=5)
    assert index.find("d-19") is not None
    assert len(index._positions) == 5
    assert index.find("d-0") is None
