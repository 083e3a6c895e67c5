"""The view of the embedded engine can be lost in every way and says the same again; rebuilding it is safe while all runs."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from cli import rebuild
from services.room_status.deciding.memory import Memory
from services.room_status.worker import POSITION_EVERY_MS
from shared.contracts.topics import MEETING_STATE
from shared.engines.embedded import EmbeddedEngine
from shared.ports.view import Applied, Row
from shared.runtime.erasure import erase_data
from tests.contract.deployments import ManualClock
from tests.integration.services.room_status.replaying import losses
from tests.integration.services.room_status.replaying.recorder import Recorder

TABLES = ("view_applied", "view_rows", "view_owners")


def tables(engine: EmbeddedEngine) -> dict[str, list[tuple[object, ...]]]:
    return {name: engine.view._database.read(f"SELECT * FROM {name}") for name in TABLES}


def put_back(engine: EmbeddedEngine, copy: dict[str, list[tuple[object, ...]]]) -> None:
    """An older copy of the view, as from a backup of the file."""
    with engine.view._database.write() as connection:
        for name, rows in copy.items():
            connection.execute(f"DELETE FROM {name}")
            for row in rows:
                connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)


def half_deleted(engine: EmbeddedEngine) -> None:
    """Rows go, and with them what says how far the view had come."""
    with engine.view._database.write() as connection:
        connection.execute("DELETE FROM view_rows WHERE rowid % 2")
        connection.execute("DELETE FROM view_applied WHERE partition = 0")


@pytest.mark.proves("D11")
def test_the_view_says_the_same_after_twenty_losses_of_four_kinds(
    recorder: Recorder, engine: EmbeddedEngine, clock: ManualClock
) -> None:
    digests = []
    for kind in itertools.islice(itertools.cycle(("emptied", "an hour old", "another's", "holes")), 20):
        copy = tables(engine)
        if kind == "an hour old":
            losses.an_hour_passes(recorder, clock)
            put_back(engine, copy)
        elif kind == "another's":
            losses.another_clusters(recorder)
        elif kind == "holes":
            half_deleted(engine)
            engine.view.reset(1)
        else:
            losses.emptied(recorder)
        assert not rebuild.compare_view(engine, recorder.keys_of, catch_up_s=0).equal, kind
        verdict = losses.rebuilt_by_owners(recorder, clock)
        assert verdict.equal, kind
        assert verdict.rows > 10
        digests.append(verdict.view)
    assert len(digests) == 20


def test_a_view_that_is_emptied_between_two_steps_of_its_owner_is_never_left_with_the_newest_rows_alone(
    recorder: Recorder, engine: EmbeddedEngine, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = engine.view.applied

    def emptied_just_after(partition: int) -> Applied | None:
        found = original(partition)
        if found is not None:
            monkeypatch.setattr(engine.view, "applied", original)
            engine.view.reset(partition)
        return found

    monkeypatch.setattr(engine.view, "applied", emptied_just_after)
    recorder.observe(20)
    recorder.settle()
    clock.at_ms += 1_000
    recorder.step()
    assert rebuild.compare_view(engine, recorder.keys_of).equal


@pytest.mark.parametrize("working", [True, False], ids=["while owners work", "while nobody works"])
def test_the_command_rebuilds_and_proves_it(
    recorder: Recorder,
    engine: EmbeddedEngine,
    clock: ManualClock,
    roomsync: Callable[..., tuple[int, str]],
    working: bool,
) -> None:
    code, out = roomsync("rebuild", "--verify", "--json")
    assert (code, json.loads(out)["equal"]) == (0, True)
    engine.view.apply(0, Applied(losses.topic_id(recorder), 10**9), [Row("t/invented", ("t/a",), b"x")])
    code, out = roomsync("rebuild", "--verify")
    assert code == 1
    assert "roomsync rebuild --all" in out
    assert roomsync("rebuild", "--all", "--dry-run")[0] == 1
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(recorder, clock, stop)) if working else None
    if thread:
        thread.start()
    try:
        code, out = roomsync("rebuild", "--all", "--json")
    finally:
        stop.set()
        if thread:
            thread.join()
    found = json.loads(out)
    assert (code, found["equal"], found["rebuilt"]) == (0, True, True)
    assert found["filledHere"] == ([] if working else [0, 1])
    assert roomsync("rebuild", "--verify")[0] == 0


def test_the_command_says_what_it_needs(roomsync: Callable[..., tuple[int, str]]) -> None:
    assert roomsync("rebuild")[0] == 2
    assert roomsync("rebuild", "--all", "--partition", "0")[0] == 2
    code, out = roomsync("rebuild", "--partition", "9")
    assert (code, "from 0 to 1" in out) == (2, True)


@pytest.mark.parametrize("restarted", [False, True], ids=["the same owners", "owners that came later"])
def test_the_view_is_what_the_topics_say_after_an_organisation_was_erased(
    recorder: Recorder,
    engine: EmbeddedEngine,
    clock: ManualClock,
    roomsync: Callable[..., tuple[int, str]],
    restarted: bool,
) -> None:
    gone, stays = recorder.tenants
    erase(engine, gone, clock)
    assert view_keys(engine, gone)
    assert roomsync("rebuild", "--verify")[0] == 0, "before the owners have noticed it"
    losses.emptied(recorder)
    assert losses.rebuilt_by_owners(recorder, clock).equal, "rebuilt before the owners have noticed it"
    if restarted:
        recorder.claim()
    an_hour_of_steps(recorder, clock)
    assert not view_keys(engine, gone)
    assert view_keys(engine, stays)
    assert roomsync("rebuild", "--verify")[0] == 0


def test_an_organisation_that_came_and_went_between_two_looks_at_the_keys_leaves_no_row(
    engine: EmbeddedEngine, clock: ManualClock, roomsync: Callable[..., tuple[int, str]]
) -> None:
    recorder = Recorder(engine, clock)
    recorder.claim()
    recorder.step()  # the owners look at the keys for the first time, and there is nobody yet
    recorder.observe(20)
    recorder.settle()
    gone = recorder.tenants[0]
    assert view_keys(engine, gone)
    erase(engine, gone, clock)
    an_hour_of_steps(recorder, clock)
    assert not view_keys(engine, gone)
    assert roomsync("rebuild", "--verify")[0] == 0


def test_owners_look_through_their_meetings_once_an_hour_for_however_many_organisations(
    recorder: Recorder, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: Counter[int] = Counter()
    look = Memory.meetings

    def counted(memory: Memory) -> Iterator[bytes]:
        passes[id(memory)] += 1
        return look(memory)

    assert len(recorder.tenants) > 1
    monkeypatch.setattr(Memory, "meetings", counted)
    recorder.claim()
    passes.clear()  # what restoring looked through
    recorder.step()  # all organisations are new to these owners
    assert passes
    assert set(passes.values()) == {1}


def erase(engine: EmbeddedEngine, tenant: str, clock: ManualClock) -> None:
    """Destroy the data key, and make another at once, as switching off does."""
    erase_data(engine, tenant, now_ms=clock.now_ms())
    engine.keyring.create(tenant)


def an_hour_of_steps(recorder: Recorder, clock: ManualClock) -> None:
    """The owners look at the keys once an hour."""
    clock.at_ms += POSITION_EVERY_MS
    for _ in range(3):
        recorder.step()
        clock.at_ms += 1_000


def view_keys(engine: EmbeddedEngine, tenant: str) -> list[str]:
    """The keys of an organisation's live rows."""
    found = engine.view._database.read(
        "SELECT key FROM view_rows WHERE key LIKE ? AND value IS NOT NULL", (f"{tenant}/%",)
    )
    return [key for (key,) in found]


def _work(recorder: Recorder, clock: ManualClock, stop: threading.Event) -> None:
    """Traffic, and owners that fold it."""
    while not stop.wait(0.05):
        recorder.observe(3)
        clock.at_ms += 400
        recorder.step()


def test_a_digest_of_rows_is_what_the_view_says_of_them(recorder: Recorder, engine: EmbeddedEngine) -> None:
    rows = [
        Row(key, tuple(owner for (owner,) in _owners(engine, key)), value)
        for key, value in engine.view._database.read("SELECT key, value FROM view_rows")
    ]
    assert rebuild.digest_of(reversed(rows)) == engine.view.digest()
    assert engine.log.span(MEETING_STATE.name, 0).end > 0


def _owners(engine: EmbeddedEngine, key: str) -> list[tuple[str]]:
    with sqlite3.connect(engine.view._database._path) as connection:
        query = "SELECT owner FROM view_owners WHERE key = ? AND gone_at_ms IS NULL"
        return connection.execute(query, (key,)).fetchall()
