"""The sample subscriber on a real broker: it reads each decline once, and catches up after being away."""

from __future__ import annotations

import json
import os
import queue
import shlex
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.contracts.published import samples
from shared.contracts.topics import ROOM_REJECTIONS
from shared.crypto.master import new_key, parse
from shared.engines.distributed import ensure_topics, open_engine
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.runtime.clock import SystemClock
from tests.support.paths import ROOT, SAMPLES
from tests.support.patience import PATIENCE_S

SUBSCRIBER = ROOT / "docs" / "subscriber.py"
COMMITTED_S = 1.5

pytestmark = [pytest.mark.kafka, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def prefix() -> str:
    return f"sub-{uuid.uuid4().hex[:8]}."


@pytest.fixture
def engine(kafka_bootstrap: str, view_redis_url: str, registry_redis_url: str, prefix: str) -> Iterator[Engine]:
    ensure_topics(kafka_bootstrap, prefix=prefix, partitions=2, replication=1)
    opened = open_engine(
        bootstrap=kafka_bootstrap,
        view_redis_url=view_redis_url,
        registry_redis_url=registry_redis_url,
        partitions=2,
        replication=1,
        prefix=prefix,
        master=parse(new_key()),
        clock=SystemClock(),
    )
    yield opened
    opened.close()


def decline(engine: Engine, name: str, partition: int = 0) -> str:
    """Put one decline on the topic; returns its id."""
    event = json.loads(samples()["RoomDeclined"]) | {"id": name}
    value = json.dumps(event).encode()
    engine.log.append([NewRecord(ROOM_REJECTIONS.name, partition, b"t/m", value)])
    return name


@contextmanager
def subscribed(bootstrap: str, prefix: str) -> Iterator[queue.Queue[str]]:
    """The sample, as a process of its own; yields the ids it prints."""
    command = [sys.executable, str(SUBSCRIBER), bootstrap, f"{prefix}room-rejections", f"{prefix}subscriber-mine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ids: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=lambda: [ids.put(line.split()[0]) for line in process.stdout or ()])
        reader.start()
        yield ids
        # It commits after each poll: let one more poll pass, so that what was printed is also committed.
        time.sleep(COMMITTED_S)
        process.terminate()  # not SIGINT: a program that was started in the background may have inherited that it is ignored
        process.wait(PATIENCE_S)
        reader.join()


@pytest.mark.proves("D10")
def test_sample_subscriber_reads_each_decline_once_and_catches_up(
    engine: Engine, kafka_bootstrap: str, prefix: str
) -> None:
    first = decline(engine, "d-first")
    with subscribed(kafka_bootstrap, prefix) as ids:
        assert ids.get(timeout=PATIENCE_S) == first
        second = decline(engine, "d-second", partition=1)
        assert ids.get(timeout=PATIENCE_S) == second
    away = {decline(engine, f"d-away-{count}", partition=count % 2) for count in range(5)}
    with subscribed(kafka_bootstrap, prefix) as ids:
        assert {ids.get(timeout=PATIENCE_S) for _ in away} == away
        assert ids.empty()


def check(command: list[str], bootstrap: str, home: Path) -> dict[str, bool]:
    """What `roomsync check-subscriber` finds: check → whether it passed."""
    settings = {"ENGINE": "kafka", "KAFKA_BOOTSTRAP": bootstrap, "KAFKA_REPLICATION": "1", "HOME": str(home)}
    settings |= {"VIEW_REDIS_URL": "redis://127.0.0.1:1", "REGISTRY_REDIS_URL": "redis://127.0.0.1:1"}
    line = shlex.join([*command, "{bootstrap}", "{topic}", "{group}"])
    ran = subprocess.run(
        [sys.executable, "-m", "cli.main", "check-subscriber", "--json", "--settle-s", "1.5", "--cmd", line],
        env=os.environ | {f"ROOMSYNC_{name}": value for name, value in settings.items()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return {finding["check"]: finding["ok"] for finding in map(json.loads, ran.stdout.splitlines())}


@pytest.mark.proves("D10")
def test_sample_subscriber_passes_every_check(kafka_bootstrap: str, tmp_path: Path) -> None:
    assert set(check([sys.executable, str(SUBSCRIBER)], kafka_bootstrap, tmp_path).values()) == {True}


@pytest.mark.proves("D10")
def test_subscriber_that_forgets_its_position_fails_the_day_offline_alone(kafka_bootstrap: str, tmp_path: Path) -> None:
    forgetful = SAMPLES / "subscribers" / "forgets_position.py"
    found = check([sys.executable, str(forgetful), str(SUBSCRIBER)], kafka_bootstrap, tmp_path)
    assert [name for name, ok in found.items() if not ok] == ["day-offline"]
