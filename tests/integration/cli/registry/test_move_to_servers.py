"""From files to Kafka and Redis: the same states appear there, and what was told in the old house is not told again."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.main import roomsync
from shared.engines.distributed import delete_topics, ensure_topics, open_engine
from shared.grants.broker import ConsentBroker
from shared.ports.log import Log
from shared.runtime.settings import Settings
from tests.support.office import AARE, BIRS, Office
from tests.support.spoilt_log import Poisoned


class Moved(Office):
    """The same people, calendar and clock on another engine; nothing is enrolled, everything came with the move."""

    def __init__(self, old: Office, engine: Any) -> None:
        self.clock, self.calendar, self.endpoint = old.clock, old.calendar, old.endpoint
        self._master, self.tenant, self.mailbox = old._master, old.tenant, old.mailbox
        self.engine = engine
        self.keys = engine.keyring.keys(self.tenant)
        self.broker = ConsentBroker(engine.registry, engine.keyring, Settings(), self.clock, endpoint=self.endpoint)
        self._channels = iter(range(10_000))
        self.restart()

    def until(self, holds: Callable[[], bool]) -> None:
        """Work on until it holds."""
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, (self.states(), self.declines())
            self.sync.step()
            self.status.step()


def last_states(log: Log) -> dict[tuple[str, str], str]:
    """The public state of every room, by its public names."""
    found = {}
    for record in log.read("room-status", 0, 0, limit=5000):
        if record.value:
            status = json.loads(record.value)
            found[status["occurrenceRef"], status["roomId"]] = status["state"]
    return found


@pytest.fixture
def prefix(kafka_bootstrap: str) -> Iterator[str]:
    name = f"move-{uuid.uuid4().hex[:8]}."
    yield name
    delete_topics(kafka_bootstrap, prefix=name)


@pytest.mark.proves("B6")
def test_moving_from_files_to_kafka_and_redis_loses_no_state_and_tells_nothing_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kafka_bootstrap: str,
    view_redis_url: str,
    registry_redis_url: str,
    prefix: str,
) -> None:
    old = Poisoned(tmp_path / "old")
    old.connect()
    old.calendar.book("e1", **{AARE: "none"})
    old.calendar.book("e2", **{BIRS: "accepted"})
    old.hint()
    old.settle()
    old.calendar.book("e1", **{AARE: "declined"})
    old.hint()
    old.settle()
    told, before = old.declines(), last_states(old.engine.log)
    assert len(told) == 1
    assert sorted(before.values()) == ["accepted", "declined"]
    file = str(tmp_path / "export")
    kafka = {
        "ENGINE": "kafka", "KAFKA_BOOTSTRAP": kafka_bootstrap, "VIEW_REDIS_URL": view_redis_url,
        "REGISTRY_REDIS_URL": registry_redis_url, "TOPIC_PREFIX": prefix,
    }  # fmt: skip
    for name in [name for name in os.environ if name.startswith("ROOMSYNC_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    old.tell_clock()
    for name, value in old.environ().items():
        monkeypatch.setenv(name, value)
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=1, replication=1)

    roomsync_("registry", "export", file)
    for name, value in kafka.items():
        monkeypatch.setenv(f"ROOMSYNC_{name}", value)
    roomsync_("registry", "import", file)

    engine = open_engine(
        bootstrap=kafka_bootstrap, view_redis_url=view_redis_url, registry_redis_url=registry_redis_url,
        partitions=1, replication=1, prefix=prefix, master=old._master, clock=old.clock,
    )  # fmt: skip
    try:
        new = Moved(old, engine)
        new.until(lambda: len(last_states(engine.log)) == len(before))
        assert last_states(engine.log) == before  # under the same names: the keys came along
        assert new.declines() == []

        new.calendar.book("e2", **{BIRS: "declined"})
        new.hint()
        new.until(lambda: bool(new.declines()))
        assert len(new.declines()) == 1
        assert not {*told} & {*new.declines()}
    finally:
        engine.close()
        old.engine.close()


def roomsync_(*arguments: str) -> None:
    result = CliRunner().invoke(roomsync, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    assert not result.return_value
