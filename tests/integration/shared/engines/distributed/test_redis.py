"""Redis away, killed, emptied: what is lost is said, and what must not be lost is there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import redis

from deploy.local.redis import RedisServer
from shared.crypto.master import MasterKeys, new_key, parse
from shared.engines.distributed.keyring import RedisKeyring
from shared.engines.distributed.registry import RedisRegistry
from shared.engines.distributed.view import RedisView
from shared.errors import StoreUnavailableError
from shared.ports.view import Applied, Row
from shared.runtime.clock import SystemClock

pytestmark = pytest.mark.kafka

ROWS = (Row("m-1", ("t/a", "t/b"), b"one"), Row("m-2", ("t/a",), b"\x00\xfftwo"))


def a_view(server: RedisServer) -> RedisView:
    return RedisView(server.url, prefix="x.", clock=SystemClock())


def test_a_view_that_is_away_is_an_error_of_ours_and_serves_again_without_a_new_client(
    view_server: RedisServer,
) -> None:
    view = a_view(view_server)
    assert view.apply(0, Applied("id", 1), ROWS)
    view_server.kill()
    for ask in (lambda: view.rows("t/a"), lambda: view.applied(0), lambda: view.apply(0, Applied("id", 2), ROWS)):
        with pytest.raises(StoreUnavailableError):
            ask()
    view_server.restart()
    assert view.applied(0) is None
    assert view.apply(0, Applied("id", 1), ROWS)
    view.close()


def test_a_view_that_was_emptied_and_rebuilt_is_the_same_and_its_revisions_only_grow(view_server: RedisServer) -> None:
    view = a_view(view_server)
    view.apply(0, Applied("id", 7), ROWS)
    before, seen = view.digest(), view.revision("t/a")
    redis.Redis.from_url(view_server.url).flushall()
    assert (view.applied(0), view.rows("t/a"), view.revision("t/a")) == (None, [], 0)
    for number, row in enumerate(reversed(ROWS)):
        view.apply(0, Applied("id", number), [row])
    assert view.digest() == before
    assert {row.key for row in view.changes("t/a", seen)} == {"m-1", "m-2"}
    view.close()


def test_what_the_registry_acknowledged_survives_a_kill(registry_server: RedisServer) -> None:
    registry = RedisRegistry(registry_server.url, prefix="x.", clock=SystemClock())
    versions = [registry.put("users", "t", f"u{number}", b"row") for number in range(50)]
    registry_server.kill()
    with pytest.raises(StoreUnavailableError):
        registry.get("users", "t", "u0")
    registry_server.restart()
    assert [(row, found.version) for row, found in registry.scan("users", "t")] == sorted(
        (f"u{number}", version) for number, version in enumerate(versions)
    )
    registry.close()


def test_flushing_the_views_does_not_reach_the_registry(view_server: RedisServer, registry_server: RedisServer) -> None:
    registry = RedisRegistry(registry_server.url, prefix="x.", clock=SystemClock())
    registry.put("users", "t", "u", b"row")
    redis.Redis.from_url(view_server.url).flushall()
    assert registry.get("users", "t", "u") is not None
    registry.close()


def test_a_destroyed_key_is_gone_from_the_files_of_the_server(
    registry_server: RedisServer, master: MasterKeys, tmp_path: Path
) -> None:
    keyring = RedisKeyring(registry_server.url, prefix="x.", master=master)
    kept, shredded = keyring.create("t-kept"), keyring.create("t-shredded")
    raw = redis.Redis.from_url(registry_server.url)
    stored = {kind: raw.hget("x.keyring", f"t-shredded/{kind}") for kind in ("data", "hash", "consent")}
    assert all(value in on_disk(tmp_path) for value in stored.values())
    keyring.destroy_data("t-shredded")
    assert [kind for kind, value in stored.items() if value in on_disk(tmp_path)] == ["consent"]
    assert keyring.consent_key("t-shredded") == shredded.consent_key
    keyring.destroy_consent("t-shredded")
    assert not any(value in on_disk(tmp_path) for value in stored.values())
    assert keyring.keys("t-kept") == kept
    keyring.close()


def test_keys_are_wrapped_anew_when_the_master_key_changes(registry_server: RedisServer, tmp_path: Path) -> None:
    first, second = new_key(), new_key()
    old = RedisKeyring(registry_server.url, prefix="x.", master=parse(first))
    keys = old.create("t")
    raw = redis.Redis.from_url(registry_server.url)
    wrapped = raw.hget("x.keyring", "t/data")
    rotating = RedisKeyring(registry_server.url, prefix="x.", master=parse(f"{second},{first}"))
    assert (rotating.rewrap(), rotating.rewrap()) == (3, 0)
    new = RedisKeyring(registry_server.url, prefix="x.", master=parse(second))
    assert new.keys("t") == keys
    assert wrapped not in on_disk(tmp_path)
    for one in (old, rotating, new):
        one.close()


FOREIGN = (b"\xff", b"t/\xff", b"odd\xfe:row")


def test_keys_that_are_no_text_stop_nobody_who_reads_the_registry_or_the_view(
    view_server: RedisServer, registry_server: RedisServer
) -> None:
    registry = RedisRegistry(registry_server.url, prefix="x.", clock=SystemClock())
    registry.put("users", "t", "u", b"row")
    view = a_view(view_server)
    view.apply(0, Applied("id", 1), ROWS)
    rows, rooms = redis.Redis.from_url(registry_server.url), redis.Redis.from_url(view_server.url)
    for key in FOREIGN:
        rows.hset("x.registry:users:t", key, b"1::beside us")
        rows.hset(b"x.registry:" + key, b"u", b"1::beside us")
        for value in (b"t/a", msgspec.msgpack.encode({b"": [b"beside us", {b"/a": 99}]})):
            rooms.hset("x.view:rows:0", key + value[:1], value)
            rooms.zadd("x.view:seen:t/a", {key: 99, b"0:" + key + value[:1]: 99})

    found = registry.get("users", "t", "u")
    assert found is not None
    assert found.value == b"row"
    scanned = dict(registry.scan("users", "t"))
    assert scanned.keys() == {"u", *(key.decode(errors="backslashreplace") for key in FOREIGN)}
    assert {row.value for row in registry.everything() if (row.table, row.row) == ("users", "u")} == {b"row"}
    seen = {row.key: row.value for row in view.rows("t/a")}
    assert {row.key: seen[row.key] for row in ROWS} == {row.key: row.value for row in ROWS}
    assert {row.key for row in view.changes("t/a", 0)} >= {"m-1", "m-2"}
    assert len(view.digest()) == 64
    registry.close()
    view.close()


def on_disk(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted((home / "registry").rglob("*")) if file.is_file())
