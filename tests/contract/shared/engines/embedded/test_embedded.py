"""What only the embedded engine promises: its files, its housekeeping, its waiting, its words when something is in the way."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.contracts.topics import (
    CALENDAR_STATE,
    COMMANDS,
    MEETING_STATE,
    OBSERVATIONS,
    POSITION_KEY,
    ROOM_STATUS_STATION,
    SYNC_WORKER,
)
from shared.crypto.master import new_key, parse
from shared.domain.instants import DAY_MS
from shared.engines.embedded import EmbeddedEngine, open_engine
from shared.engines.embedded import database as database_module
from shared.engines.embedded import membership as membership_module
from shared.errors import ConfigurationError, ConflictError, FencedError, LogUnavailableError, StoreUnavailableError
from shared.ports.log import NewRecord, StateChange
from shared.ports.view import Applied, Row
from tests.contract.deployments import ManualClock

MASTER = parse(new_key())
START_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
def opened(tmp_path: Path, clock: ManualClock) -> Iterator[Callable[..., EmbeddedEngine]]:
    engines: list[EmbeddedEngine] = []

    def open_another(*, partitions: int = 2, prefix: str = "") -> EmbeddedEngine:
        engine = open_engine(tmp_path / "home", partitions=partitions, prefix=prefix, master=MASTER, clock=clock)
        engines.append(engine)
        return engine

    yield open_another
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(opened: Callable[..., EmbeddedEngine]) -> EmbeddedEngine:
    return opened()


class Blocker:
    """Somebody else who holds the write lock of our files."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._others: list[sqlite3.Connection] = []

    def take(self, name: str) -> None:
        self._others.append(sqlite3.connect(self._home / name, isolation_level=None))
        self._others[-1].execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        while self._others:
            self._others.pop().close()


@pytest.fixture
def blocker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocker]:
    """And our patience is short, on connections made from now on."""
    monkeypatch.setattr(database_module, "LOCK_WAIT_S", 0.05)
    blocker = Blocker(tmp_path / "home")
    yield blocker
    blocker.release()


def a_command(value: bytes = b"wish", partition: int = 0) -> NewRecord:
    return NewRecord(COMMANDS.name, partition, b"mailbox", value)


def values(engine: EmbeddedEngine, topic: str, partition: int = 0) -> list[bytes | None]:
    return [record.value for record in engine.log.read(topic, partition, 0)]


def stored(home: Path) -> bytes:
    """Every byte of every file."""
    return b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def test_a_process_touches_only_the_files_of_what_it_uses(engine: EmbeddedEngine, tmp_path: Path) -> None:
    assert not (tmp_path / "home").exists()
    engine.log.append([a_command()])
    assert {path.name for path in (tmp_path / "home").glob("*.db")} == {"log.db"}
    engine.registry.put("t", "tenant", "r", b"1")
    assert {path.name for path in (tmp_path / "home").glob("*.db")} == {"log.db", "registry.db"}


def test_the_files_are_for_their_owner_only(engine: EmbeddedEngine, tmp_path: Path) -> None:
    engine.log.append([a_command()])
    engine.keyring.create("tenant")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "home").iterdir()} == {0}


def test_another_number_of_partitions_is_refused_with_what_to_do(opened: Callable[..., EmbeddedEngine]) -> None:
    opened(partitions=2).log.append([a_command()])
    with pytest.raises(ConfigurationError, match=r"made with 2 partitions .* is 4: set it back to 2"):
        _ = opened(partitions=4).log
    assert opened(partitions=2).log.partitions == 2


def test_prefixes_are_deployments_of_their_own(opened: Callable[..., EmbeddedEngine]) -> None:
    one, two = opened(prefix="one."), opened(prefix="two.")
    one.log.append([a_command()])
    claim = one.log.claim(SYNC_WORKER, 0)
    two.log.claim(SYNC_WORKER, 0)
    claim.commit([], [StateChange(b"k", b"v")], {})
    assert values(two, COMMANDS.name) == []
    assert one.log.topic_id(COMMANDS.name) != two.log.topic_id(COMMANDS.name)


def test_an_unknown_topic_or_partition_is_named(engine: EmbeddedEngine) -> None:
    with pytest.raises(ConfigurationError, match="'no-such-topic'"):
        engine.log.append([a_command(), NewRecord("no-such-topic", 0, b"k", b"v")])
    with pytest.raises(ConfigurationError, match="partition 2"):
        engine.log.read(COMMANDS.name, 2, 0)
    assert values(engine, COMMANDS.name) == [], "nothing of a refused append stands there"


def test_a_locked_log_says_that_nothing_durable_can_be_written(engine: EmbeddedEngine, blocker: Blocker) -> None:
    claim = engine.log.claim(SYNC_WORKER, 0)
    engine.log.append([a_command()])
    blocker.take("log.db")
    with pytest.raises(LogUnavailableError, match=r"log\.db: database is locked; check"):
        in_another_thread(lambda: engine.log.append([a_command()]))
    with pytest.raises(LogUnavailableError):
        in_another_thread(engine.log.probe)
    with pytest.raises(FencedError):
        in_another_thread(lambda: claim.commit([], [], {}))
    assert values(engine, COMMANDS.name) == [b"wish"], "readers go on"


def test_a_claim_whose_commit_failed_is_dead_even_when_the_log_is_back(
    engine: EmbeddedEngine, blocker: Blocker
) -> None:
    """Nobody may go on in doubt: the process ends, and the next one restores."""
    claim = engine.log.claim(SYNC_WORKER, 0)
    blocker.take("log.db")
    with pytest.raises(FencedError):
        in_another_thread(lambda: claim.commit([], [], {}))
    blocker.release()
    engine.log.append([a_command()])
    with pytest.raises(FencedError):
        claim.commit([], [], {})


def test_a_claim_that_was_closed_commits_nothing_more(engine: EmbeddedEngine) -> None:
    claim = engine.log.claim(SYNC_WORKER, 0)
    claim.close()
    with pytest.raises(FencedError, match="closed"):
        claim.commit([], [], {})


def test_a_clock_that_goes_back_does_not_mislead_who_looks_up_by_time(
    engine: EmbeddedEngine, clock: ManualClock
) -> None:
    for moved_ms in (0, 1000, -5000, 4500):
        clock.at_ms += moved_ms
        engine.log.append([a_command()])
    stamps = [record.appended_at_ms - START_MS for record in engine.log.read(COMMANDS.name, 0, 0)]
    assert stamps == [0, 1000, 1000, 1000]
    assert engine.log.at_time(COMMANDS.name, 0, START_MS + 1000) == 1


def test_a_locked_registry_is_unavailable(engine: EmbeddedEngine, blocker: Blocker) -> None:
    engine.registry.put("t", "tenant", "r", b"1")
    engine.keyring.create("tenant")
    blocker.take("registry.db")
    with pytest.raises(StoreUnavailableError):
        in_another_thread(lambda: engine.registry.put("t", "tenant", "r", b"2"))
    with pytest.raises(StoreUnavailableError):
        in_another_thread(lambda: engine.keyring.destroy_data("tenant"))
    assert engine.keyring.keys("tenant").tenant == "tenant"


def in_another_thread(action: Callable[[], object]) -> None:
    """Run it on a connection made just now, under the test's short patience."""
    failures: list[Exception] = []

    def attempt() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001  # carried over to the test's thread
            failures.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def test_a_full_disk_is_unavailable_and_leaves_the_log_whole(engine: EmbeddedEngine) -> None:
    engine.log.append([a_command(b"before")])
    [(pages,)] = engine.log._database.read("PRAGMA page_count")
    engine.log._database.read(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(LogUnavailableError, match="full"):
        engine.log.append([a_command(b"x" * 100_000)])
    engine.log._database.read("PRAGMA max_page_count = 1000000")
    engine.log.append([a_command(b"after")])
    assert values(engine, COMMANDS.name) == [b"before", b"after"]


def test_a_file_that_is_no_database_is_unavailable(opened: Callable[..., EmbeddedEngine], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "log.db").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(LogUnavailableError, match="not a database"):
        _ = opened().log


def test_retention_takes_what_is_older_than_five_days_and_moves_the_beginning(
    engine: EmbeddedEngine, clock: ManualClock
) -> None:
    for number in range(3):
        engine.log.append([a_command(b"%d" % number)])
        clock.at_ms += HOUR_MS
    engine.log.housekeep(START_MS + 5 * DAY_MS)
    assert values(engine, COMMANDS.name) == [b"0", b"1", b"2"], "exactly five days old is not older"
    assert engine.log.housekeep(START_MS + 5 * DAY_MS + 1) == 1
    assert values(engine, COMMANDS.name) == [b"1", b"2"]
    assert engine.log.span(COMMANDS.name, 0).begin == 1
    engine.log.housekeep(START_MS + 6 * DAY_MS)
    span = engine.log.span(COMMANDS.name, 0)
    assert span.begin == span.end == 3
    engine.log.append([a_command(b"3")])
    assert [record.offset for record in engine.log.read(COMMANDS.name, 0, 0)] == [3], "offsets are never used again"


def test_two_who_keep_house_at_once_do_not_move_the_beginning_back(engine: EmbeddedEngine) -> None:
    engine.log.append([a_command(), a_command(), a_command()])
    records = engine.log._records
    records.remove(COMMANDS.name, 0, [0, 1], first=2)
    records.remove(COMMANDS.name, 0, [0], first=1)
    assert engine.log.span(COMMANDS.name, 0).begin == 2


def test_retention_of_what_was_read_is_not_taken_for_a_loss(
    engine: EmbeddedEngine, opened: Callable[..., EmbeddedEngine], clock: ManualClock
) -> None:
    source = engine.log.claim(SYNC_WORKER, 0)
    source.commit([NewRecord(OBSERVATIONS.name, 0, b"m", b"o")], [], {})
    claim = engine.log.claim(ROOM_STATUS_STATION, 0)
    [record] = claim.read(1.0)
    claim.commit([], [], {OBSERVATIONS.name: record.offset + 1})
    engine.log.housekeep(clock.at_ms + 6 * DAY_MS)
    assert values(engine, OBSERVATIONS.name) == []
    assert dict(opened().log.claim(ROOM_STATUS_STATION, 0).lost) == {}, "the gap behind it was nobody's record"


def test_compaction_keeps_the_latest_of_each_key_and_the_position(
    engine: EmbeddedEngine, opened: Callable[..., EmbeddedEngine], clock: ManualClock
) -> None:
    claim = engine.log.claim(SYNC_WORKER, 0)
    for number in range(20):
        claim.commit([], [StateChange(b"%d" % (number % 3), b"v%d" % number)], {COMMANDS.name: number})
        clock.at_ms += 1
    engine.log.housekeep(clock.at_ms)
    left = [record.key for record in engine.log.read(CALENDAR_STATE.name, 0, 0)]
    assert left == [b"2", b"0", b"1", POSITION_KEY]
    restored = opened().log.claim(SYNC_WORKER, 0)
    assert dict(restored.state) == {b"0": b"v18", b"1": b"v19", b"2": b"v17"}
    assert dict(restored.position) == {COMMANDS.name: 19}


def test_compaction_leaves_the_state_of_every_instant_within_its_lag(
    engine: EmbeddedEngine, clock: ManualClock
) -> None:
    """What stood six days ago is needed by a replay, even when it was superseded only yesterday."""
    claim = engine.log.claim(ROOM_STATUS_STATION, 0)
    for value in (b"day 0", b"day 1", b"day 7"):
        clock.at_ms = START_MS + int(value.split()[1]) * DAY_MS
        claim.commit([], [StateChange(b"m", value)], {})

    def states() -> list[bytes | None]:
        return [record.value for record in engine.log.read(MEETING_STATE.name, 0, 0) if record.key == b"m"]

    engine.log.housekeep(START_MS + 7 * DAY_MS)
    assert states() == [b"day 0", b"day 1", b"day 7"]
    engine.log.housekeep(START_MS + 7 * DAY_MS + 1)
    assert states() == [b"day 1", b"day 7"], "day 1 is beyond the lag, and so is whoever needs what it replaced"
    engine.log.housekeep(START_MS + 13 * DAY_MS + 1)
    assert states() == [b"day 7"]


def test_tombstones_go_after_a_day_and_take_their_key_with_them(
    engine: EmbeddedEngine, opened: Callable[..., EmbeddedEngine], clock: ManualClock
) -> None:
    claim = engine.log.claim(SYNC_WORKER, 0)
    claim.commit([], [StateChange(b"gone", b"value"), StateChange(b"kept", b"value")], {})
    clock.at_ms += 1
    claim.commit([], [StateChange(b"gone", None)], {})

    def keys() -> set[bytes]:
        return {record.key for record in engine.log.read(CALENDAR_STATE.name, 0, 0)}

    engine.log.housekeep(clock.at_ms + HOUR_MS)
    engine.log.housekeep(clock.at_ms + DAY_MS)
    assert keys() == {b"gone", b"kept", POSITION_KEY}
    assert b"value" in values(engine, CALENDAR_STATE.name)
    engine.log.housekeep(clock.at_ms + DAY_MS + 1)
    assert keys() == {b"kept", POSITION_KEY}
    assert dict(opened().log.claim(SYNC_WORKER, 0).state) == {b"kept": b"value"}


def test_housekeeping_runs_by_itself_while_a_claim_waits(engine: EmbeddedEngine, clock: ManualClock) -> None:
    engine.log.append([a_command(b"old", partition=1)])
    clock.at_ms += 6 * DAY_MS
    claim = engine.log.claim(SYNC_WORKER, 0)
    claim.read(0)
    assert values(engine, COMMANDS.name, 1) == []


def test_what_was_removed_is_wiped_from_the_files(engine: EmbeddedEngine, tmp_path: Path, clock: ManualClock) -> None:
    secret = b"marker-of-a-record-that-is-over"
    engine.log.append([a_command(secret * 50)])
    assert secret in stored(tmp_path / "home")
    engine.log.housekeep(clock.at_ms + 6 * DAY_MS)
    assert secret not in stored(tmp_path / "home")
    engine.registry.put("consents", "tenant", "mailbox", secret)
    assert secret in stored(tmp_path / "home")
    engine.registry.delete("consents", "tenant", "mailbox")
    assert secret not in stored(tmp_path / "home")


@pytest.mark.parametrize("kind", ["data", "hash", "consent"])
def test_a_destroyed_key_is_in_no_file_any_more(engine: EmbeddedEngine, tmp_path: Path, kind: str) -> None:
    """Even wrapped: whoever has the master key finds nothing to open."""
    engine.keyring.create("tenant")
    [(wrapped,)] = engine.keyring._database.read("SELECT wrapped FROM tenant_keys WHERE kind = ?", (kind,))
    assert wrapped in stored(tmp_path / "home")
    if kind == "consent":
        engine.keyring.destroy_consent("tenant")
    else:
        engine.keyring.destroy_data("tenant")
    assert wrapped not in stored(tmp_path / "home")


def test_a_key_wrapped_anew_leaves_nothing_under_the_old_master_key(tmp_path: Path, clock: ManualClock) -> None:
    old, new = new_key(), new_key()
    home = tmp_path / "home"
    before = open_engine(home, partitions=1, prefix="", master=parse(old), clock=clock)
    before.keyring.create("tenant")
    wrapped = [row[0] for row in before.keyring._database.read("SELECT wrapped FROM tenant_keys")]
    after = open_engine(home, partitions=1, prefix="", master=parse(f"{new},{old}"), clock=clock)
    assert after.keyring.rewrap() == 3
    assert not [value for value in wrapped if value in stored(home)]
    before.close()
    after.close()


def test_wiping_that_a_reader_prevents_is_said_and_done_on_the_next_call(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_WAIT_S", 0.05)
    engine.keyring.create("tenant")
    reader = sqlite3.connect(tmp_path / "home" / "registry.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM tenant_keys").fetchall()
    with pytest.raises(StoreUnavailableError, match="do the same again"):
        engine.keyring.destroy_data("tenant")
    reader.close()
    engine.keyring.destroy_data("tenant")


def test_a_row_made_anew_does_not_answer_to_an_old_version(engine: EmbeddedEngine) -> None:
    old = engine.registry.put("t", "tenant", "r", b"1", expect=0)
    engine.registry.delete("t", "tenant", "r")
    engine.registry.put("t", "tenant", "r", b"2", expect=0)
    with pytest.raises(ConflictError):
        engine.registry.put("t", "tenant", "r", b"3", expect=old)


def test_a_lease_from_before_the_machine_restarted_is_not_believed(engine: EmbeddedEngine) -> None:
    membership = engine.log.join(SYNC_WORKER)
    with engine.log._database.write() as connection:
        connection.execute(
            "INSERT INTO members (member, service, process, joined_s, until_s) VALUES ('ghost', ?, 'ghost', 0, 1e12)",
            (SYNC_WORKER.service,),
        )
    assert membership.assignment() == {0, 1}
    membership.close()


def test_what_a_live_worker_holds_is_given_to_another_only_when_it_lets_go(
    opened: Callable[..., EmbeddedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership_module, "SETTLE_S", 0.0)
    one, two = opened(), opened()
    senior, junior = one.log.join(SYNC_WORKER), two.log.join(SYNC_WORKER)
    held = one.log.claim(SYNC_WORKER, 1)
    assert (senior.assignment(), junior.assignment()) == ({0}, frozenset())
    held.close()
    assert junior.assignment() == {1}
    senior.close()
    assert junior.assignment() == {0, 1}, "whoever leaves is replaced at once, not when the lease is over"
    junior.close()


def test_a_newcomer_waits_until_those_before_it_have_claimed_what_they_were_given(
    opened: Callable[..., EmbeddedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership_module, "SETTLE_S", 1e9)
    one, two = opened(), opened()
    senior = one.log.join(SYNC_WORKER)
    assert senior.assignment() == {0, 1}
    junior = two.log.join(SYNC_WORKER)
    one.log.claim(SYNC_WORKER, 0)
    assert (senior.assignment(), junior.assignment()) == ({0}, frozenset())
    junior.close()
    senior.close()


def test_a_worker_whose_lease_ran_out_sees_no_partition_as_its_own(engine: EmbeddedEngine) -> None:
    """Frozen and woken: until it has renewed, everything may be somebody else's."""
    membership = engine.log.join(SYNC_WORKER)
    with engine.log._database.write() as connection:
        connection.execute("UPDATE members SET until_s = 0")
        assert membership.assignment() == frozenset()
    membership.close()


def test_closing_leaves_the_groups_that_nobody_left(opened: Callable[..., EmbeddedEngine]) -> None:
    one, two = opened(), opened()
    one.log.join(SYNC_WORKER)
    survivor = two.log.join(SYNC_WORKER)
    one.close()
    assert survivor.assignment() == {0, 1}
    survivor.close()
    survivor.close()


def test_a_page_that_was_away_for_a_day_is_not_told_of_deletions(engine: EmbeddedEngine, clock: ManualClock) -> None:
    engine.view.apply(0, Applied("id", 1), [Row("t/m", ("t/a",), b"1")])
    engine.view.apply(0, Applied("id", 2), [Row("t/m", (), None)])
    assert [row.value for row in engine.view.changes("t/a", 0)] == [None]
    clock.at_ms += DAY_MS + 1
    engine.view.apply(0, Applied("id", 3), [])
    assert list(engine.view.changes("t/a", 0)) == [], "what is gone leaves no name behind"


def test_threads_have_connections_of_their_own_and_leave_none_behind(engine: EmbeddedEngine) -> None:
    for number in range(10):
        thread = threading.Thread(target=engine.log.append, args=([a_command(b"%d" % number)],))
        thread.start()
        thread.join()
    assert len(engine.log._database._connections) <= 2
    assert values(engine, COMMANDS.name) == [b"%d" % number for number in range(10)]
