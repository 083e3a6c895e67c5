"""The view's form in Redis: as the embedded engine's in everything that is read, and in the place of earlier versions' form."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.local.redis import RedisServer
from shared.contracts.meeting_state import copy_key
from shared.engines.distributed.view import RedisView
from shared.engines.embedded import open_engine
from shared.ports.view import Applied, Row, View, digest_of
from shared.runtime.clock import SystemClock

pytestmark = pytest.mark.kafka

TENANTS, MEETINGS, MAILBOXES = ("t-1", "t-2"), ("m-1", "m-2", "~2026-12-01.3"), ("a", "b", "c")
MANY = [f"t-1/m-1/x{number}" for number in range(12)]
OWNERS = [f"{tenant}/{mailbox}" for tenant in TENANTS for mailbox in MAILBOXES]
KEYS = [
    *(f"{tenant}/{meeting}" for tenant in TENANTS for meeting in MEETINGS),
    *(copy_key(f"{tenant}/m-1".encode(), mailbox).decode() for tenant in TENANTS for mailbox in MAILBOXES),
    "no-tenant",
    *MANY,
]


@pytest.fixture
def in_redis(view_server: RedisServer) -> Iterator[RedisView]:
    view = RedisView(view_server.url, prefix="x.", clock=SystemClock())
    yield view
    view.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[View]:
    engine = open_engine(tmp_path / "embedded", partitions=3, prefix="", master=None, clock=SystemClock())
    yield engine.view
    engine.close()


def partition_of(key: str) -> int:
    return KEYS.index(key) % 3


def any_rows(chance: random.Random, partition: int) -> list[Row]:
    """Rows of a partition, of which a few are deletions and a few stay as they are."""
    keys = chance.sample([key for key in KEYS if partition_of(key) == partition], 3)
    return [
        Row(key, tuple(chance.sample(OWNERS, chance.randrange(4))), chance.choice([None, b"1", b"1", b"\x00\xff\x9a"]))
        for key in keys
    ]


def seen_by_all(view: View, marks: dict[str, int]) -> object:
    """Whatever is read, but for the numbers of revisions, which also say in which order what one step changed came."""
    return (
        view.digest(),
        [view.row(key) for key in KEYS],
        [[(row.key, row.value) for row in view.rows(owner)] for owner in OWNERS],
        [sorted((row.key, row.value) for row in view.changes(owner, marks[owner])) for owner in OWNERS],
        [view.revision(owner) > marks[owner] for owner in OWNERS],
        [view.applied(partition) for partition in range(3)],
    )


@pytest.mark.parametrize("seed", range(4))
def test_both_engines_show_the_same_after_every_step(in_redis: RedisView, embedded: View, seed: int) -> None:
    chance = random.Random(seed)
    marks = [dict.fromkeys(OWNERS, 0), dict.fromkeys(OWNERS, 0)]
    for step in range(40):
        partition, whole = chance.randrange(3), chance.random() < 0.2
        rows, topic = any_rows(chance, partition), f"topic {step // 20}"
        emptied = chance.random() < 0.1
        for view in (in_redis, embedded):
            if emptied:
                view.reset(partition)
            assert view.apply(partition, Applied(topic, step), rows, whole=whole)
        assert seen_by_all(in_redis, marks[0]) == seen_by_all(embedded, marks[1])
        if chance.random() < 0.3:
            marks = [{owner: view.revision(owner) for owner in OWNERS} for view in (in_redis, embedded)]


def write_earlier_form(store: redis.Redis) -> None:
    """A meeting of two people and one copy, as versions before packed rows wrote them."""
    store.hset("x.view:values", mapping={"t/m": b"one", "t/m/a": b"two"})
    store.hset("x.view:owners", mapping={"t/m": "t/a\nt/b", "t/m/a": "t/a"})
    store.sadd("x.view:of:0", "t/m", "t/m/a")
    store.zadd("x.view:live:t/a", {"t/m": 1_700_000_000_000_001, "t/m/a": 1_700_000_000_000_002})
    store.zadd("x.view:live:t/b", {"t/m": 1_700_000_000_000_003})
    store.hset("x.view:topic", "0", "id")
    store.hset("x.view:offset", "0", 7)
    store.set("x.view:revision", 1_700_000_000_000_003)


def test_view_of_an_earlier_version_is_filled_anew_and_leaves_nothing(
    in_redis: RedisView, view_server: RedisServer
) -> None:
    store = redis.Redis.from_url(view_server.url)
    write_earlier_form(store)
    assert in_redis.applied(0) is None
    rows = [Row("t/m", ("t/a", "t/b"), b"one"), Row("t/m/a", ("t/a",), b"two")]
    assert in_redis.apply(0, Applied("id", 7), rows, whole=True)
    assert sorted(store.scan_iter()) == sorted(
        f"x.view:{name}".encode() for name in ("reached", "revision", "rows:0", "seen:t/a", "seen:t/b")
    )
    assert [row.key for row in in_redis.changes("t/a", 1_700_000_000_000_003)] == ["t/m", "t/m/a"]


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 0)])
def test_key_that_came_to_another_partition_is_found_once_and_as_it_is_now(
    in_redis: RedisView, old: int, new: int
) -> None:
    earlier, later = Row("t/m", ("t/a",), b"earlier"), Row("t/m", ("t/a",), b"later")
    for partition in (0, 1):
        in_redis.apply(partition, Applied("id", 1), [])
    in_redis.apply(old, Applied("id", 2), [earlier])
    in_redis.apply(new, Applied("id", 2), [later])
    assert (in_redis.row("t/m"), [row.value for row in in_redis.rows("t/a")]) == (later, [b"later"])
    in_redis.apply(old, Applied("id", 3), [], whole=True)
    assert (in_redis.row("t/m"), [row.value for row in in_redis.rows("t/a")]) == (later, [b"later"])


def test_size_of_what_a_copys_change_rewrites_does_not_grow_with_the_meeting(
    in_redis: RedisView, view_server: RedisServer
) -> None:
    owners = [f"t/m-{number}" for number in range(100)]
    in_redis.apply(0, Applied("id", 1), [Row(f"t/m/{owner[2:]}", (owner,), b"x" * 100) for owner in owners])
    groups = redis.Redis.from_url(view_server.url).hvals("x.view:rows:0")
    assert max(map(len, groups)) < 2_000
    assert [in_redis.row(f"t/m/{owner[2:]}") for owner in owners] == [
        Row(f"t/m/{owner[2:]}", (owner,), b"x" * 100) for owner in owners
    ]


def test_copy_beyond_the_first_stays_one_row_when_the_first_leave(in_redis: RedisView) -> None:
    owners = [f"t/m-{number}" for number in range(12)]
    in_redis.apply(0, Applied("id", 1), [Row(f"t/m/{owner[2:]}", (owner,), b"1") for owner in owners])
    in_redis.apply(0, Applied("id", 2), [Row(f"t/m/{owner[2:]}", (), None) for owner in owners[:5]])
    in_redis.apply(0, Applied("id", 3), [Row(f"t/m/{owner[2:]}", (owner,), b"2") for owner in owners[5:]])
    assert [[row.value for row in in_redis.rows(owner)] for owner in owners] == [[]] * 5 + [[b"2"]] * 7
    assert in_redis.digest() == digest_of(Row(f"t/m/{owner[2:]}", (owner,), b"2") for owner in owners[5:])
