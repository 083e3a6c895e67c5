"""A night on call: the real processes run, on both engines, and an operator's commands find and mend what went wrong."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import redis

from cli.demo.organisations import REFUSING, Organisation, book_meeting, create_organisation, tomorrow_at
from cli.demo.person import PortalSession
from cli.demo.processes import RunningSystem, start_system
from shared.contracts.topics import NOTIFICATIONS_GRAPH
from shared.domain.identity import Mailbox, partition_of
from shared.ports.log import NewRecord
from shared.registry import tables
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.support.patience import PATIENCE_S
from tests.support.servers import settings


@dataclass
class Night:
    """The running system, one person's calendar, and the commands."""

    stage: RunningSystem
    who: Organisation
    servers: Mapping[str, str]

    def roomsync(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env=dict(self.stage.environ), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.roomsync("status", "--json")[1])
        return found

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.roomsync("dead-letters", "list", "--json")[1].splitlines()]

    def declines(self) -> int:
        return len(self.roomsync("tail", "room-rejections", "--json")[1].splitlines())

    def deaf(self, off: bool) -> None:
        """No push arrives; who was deaf is told nothing afterwards."""
        httpx.put(f"{self.stage.simulator}/sim/v1/faults", json={"pushOff": off}).raise_for_status()

    def declined_unheard(self, nth: int) -> None:
        """A room says no for the nth time, and nobody tells us."""
        self.deaf(True)
        at = tomorrow_at(9 + nth)
        for host, answer in (("Ben", "accepted"), ("Ada", "declined")):
            book_meeting(self.stage, self.who, host=host, title="Planning", room=REFUSING, at=at, guests=[])
            eventually(lambda answer=answer: self._answers(answer) == nth, f"the room has {answer}")  # type: ignore[misc]
        self.deaf(False)

    def poison(self) -> None:
        """A record that nobody can read, where a hint for the only mailbox should be."""
        engine = open_engine(load(self.stage.environ))
        [(tenant, mailbox)] = [
            (row.tenant, name)
            for _, row in tables.directories(engine.registry).scan("-")
            for name, _ in tables.consents(engine.registry).scan(row.tenant)
        ]
        key = Mailbox(tenant, mailbox).key
        partition = partition_of(key, engine.log.partitions)
        engine.log.append([NewRecord(NOTIFICATIONS_GRAPH.name, partition, key, secrets.token_bytes(40))])
        engine.close()

    def _answers(self, word: str) -> int:
        facts = httpx.get(f"{self.stage.simulator}/sim/v1/history").json()["history"]
        return sum(fact["kind"] == "room-answered" and fact.get("answer") == word for fact in facts)


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.2)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def servers(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return {} if request.param == "embedded" else settings(f"night-{secrets.token_hex(4)}.")


@pytest.fixture
def night(servers: Mapping[str, str]) -> Iterator[Night]:
    overrides = {"ROOMSYNC_PARTITIONS": "2", "ROOMSYNC_RECONCILE_S": "86400"}
    with start_system(engine="kafka" if servers else "embedded", seed=5, servers=servers, overrides=overrides) as stage:
        who = create_organisation(stage, "microsoft")
        person = PortalSession(stage.portal)
        person.sign_in("microsoft", who.host["address"])
        eventually(lambda: person.get("/v1/me")["connection"]["state"] == "connected", "Ada is connected")
        yield Night(stage, who, servers)
        person.close()


@pytest.mark.proves("B12", "B14", "D11", "M1")
def test_each_trouble_of_a_night_is_seen_and_mended_by_one_command(night: Night) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    assert night.status()["findings"] == []

    night.declined_unheard(1)
    night.poison()
    eventually(lambda: len(night.letters()) == 1, "a record that cannot be read becomes a dead letter")
    assert [each["runbook"] for each in night.status()["findings"]] == ["docs/runbooks/dead-letters-growing.md"]
    assert night.declines() == 0
    assert night.roomsync("dead-letters", "redrive", "--all")[0] == 0
    eventually(lambda: night.declines() == 1, "a redriven hint is a look")
    assert night.letters() == []

    night.declined_unheard(2)
    assert night.declines() == 1
    assert night.roomsync("reconcile", "--all")[0] == 0
    eventually(lambda: night.declines() == 2, "what nobody told us was found by looking")

    if night.servers:
        store = redis.Redis.from_url(night.servers["ROOMSYNC_VIEW_REDIS_URL"])
        store.delete(*store.scan_iter(f"{night.servers['ROOMSYNC_TOPIC_PREFIX']}view:*"))
        store.close()
    assert night.roomsync("rebuild", "--all")[0] == 0
    assert night.roomsync("rebuild", "--verify", "--all")[0] == 0
    code, told = night.roomsync("replay", "--from", f"{began:%Y-%m-%dT%H:%M:%SZ}", "--json")
    assert (code, json.loads(told)["missing"], json.loads(told)["spurious"]) == (0, [], [])
    assert night.status()["findings"] == []
    assert night.declines() == 2
