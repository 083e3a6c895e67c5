"""Each user of the two Redis servers can do its service's work, and nothing else: shown on real servers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from limits import parse_many
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from deploy.local.processes import free_ports
from deploy.local.redis import RedisUse, redis_server
from shared.crypto.master import new_key, parse
from shared.engines.distributed.keyring import RedisKeyring
from shared.engines.distributed.registry import RedisRegistry
from shared.engines.distributed.view import RedisView
from shared.errors import StoreUnavailableError
from shared.ports.view import Applied, Row
from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings
from shared.runtime.wiring import counter_storage
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers import require

START = ROOT / "deploy/redis/start.sh"
USERS = ("room-status", "sync-worker", "portal", "notifier", "operator")
MASTER = parse(new_key())
ROW = Row("t/m", ("t/ada",), b"sealed")
UrlOf = Callable[[str], str]


@contextmanager
def server(kind: str, directory: Path) -> Iterator[UrlOf]:
    require("" if shutil.which("redis-server") else "redis-server is missing: apt-get install -y redis-server")
    for user in USERS:
        (directory / f"redis_{user.replace('-', '_')}").write_text(f"secret of {user}\n".replace(" ", "-"))
    port = free_ports(1)[0]
    environ = {**os.environ, "SECRETS": str(directory), "ACL_FILE": str(directory / "acl")}
    command = [str(START), kind, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(directory)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield lambda user: f"redis://{user}:secret-of-{user}@127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("redis-server did not come up with this users.acl")


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UrlOf]:
    with server("views", tmp_path_factory.mktemp("views")) as url_of:
        yield url_of


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UrlOf]:
    with server("registry", tmp_path_factory.mktemp("registry")) as url_of:
        yield url_of


@contextmanager
def view_as(url: str) -> Iterator[RedisView]:
    view = RedisView(url, prefix="", clock=SystemClock())
    try:
        yield view
    finally:
        view.close()


@contextmanager
def registry_as(url: str) -> Iterator[RedisRegistry]:
    opened = RedisRegistry(url, prefix="", clock=SystemClock())
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def keyring_as(url: str) -> Iterator[RedisKeyring]:
    opened = RedisKeyring(url, prefix="", master=MASTER)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def counts_as(url: str) -> Iterator[FixedWindowRateLimiter]:
    storage = counter_storage(Settings(engine="kafka", registry_redis_url=url))
    opened = RedisStorage(storage.uri, **storage.options)
    try:
        yield FixedWindowRateLimiter(opened)
    finally:
        opened.storage.close()


def test_room_status_writes_the_view_and_the_portal_reads_it(views: UrlOf) -> None:
    with view_as(views("room-status")) as writer, view_as(views("portal")) as reader:
        writer.reset(0)
        assert writer.apply(0, Applied("topic", 1), [ROW])
        assert [row.key for row in reader.rows("t/ada")] == ["t/m"]
        assert reader.revision("t/ada") > 0
        assert reader.applied(0) == Applied("topic", 1)


def test_room_status_takes_the_place_of_an_earlier_versions_view(views: UrlOf) -> None:
    with redis.Redis.from_url(views("operator")) as earlier, view_as(views("room-status")) as writer:
        earlier.hset("view:values", "t/m", b"sealed")
        earlier.hset("view:owners", "t/m", b"t/ada")
        earlier.hset("view:topic", "3", b"topic")
        assert writer.apply(3, Applied("topic", 1), [ROW], whole=True)
        assert not earlier.exists("view:values", "view:owners", "view:topic")


def test_the_portal_cannot_write_the_view(views: UrlOf) -> None:
    with view_as(views("portal")) as reader, pytest.raises(StoreUnavailableError):
        reader.apply(1, Applied("topic", 9), [ROW])


def test_the_notifier_reads_a_row_of_the_view_and_writes_none(views: UrlOf) -> None:
    with view_as(views("room-status")) as writer, view_as(views("notifier")) as reader:
        writer.reset(2)
        assert writer.apply(2, Applied("topic", 1), [ROW])
        assert reader.row("t/m") == ROW
        assert [each.value for each in reader.rows(ROW.owners[0])] == [ROW.value]  # counts rooms to come
        with pytest.raises(StoreUnavailableError):
            reader.apply(2, Applied("topic", 9), [ROW])


def test_the_notifier_changes_a_row_and_only_reads_keys(registry: UrlOf) -> None:
    with registry_as(registry("notifier")) as rows:
        version = rows.put("notifications", "t", "u", b"{}", expect=0)
        rows.put("notifications", "t", "u", b"{}", expect=version)
        assert rows.get("notifications", "t", "u") is not None
        assert [row for row, _ in rows.scan("notifications", "t")] == ["u"]  # looks for administrators
        assert list(rows.get_many("notifications", "t", ["u", "absent"])) == ["u"]  # which prompts were put away
        with pytest.raises(StoreUnavailableError):
            rows.everything()
    with keyring_as(registry("portal")) as made:
        keys = made.create("t-told")
    with keyring_as(registry("notifier")) as ring:
        assert ring.keys("t-told") == keys
        with pytest.raises(StoreUnavailableError):
            ring.destroy_data("t-told")


@pytest.mark.parametrize("user", ["portal", "sync-worker", "operator"])
def test_the_registrys_users_put_read_and_delete_rows(registry: UrlOf, user: str) -> None:
    with registry_as(registry(user)) as rows:
        rows.put("t", "x", user, b"1", not_after_ms=2**45)
        assert rows.get("t", "x", user) is not None
        assert user in dict(rows.scan("t", "x"))
        assert list(rows.get_many("t", "x", [user, "absent"])) == [user]
        rows.delete("t", "x", user)


def test_the_portal_counts_requests_there_and_nobody_else_does(registry: UrlOf) -> None:
    [rule] = parse_many("2 per 60 second")
    with counts_as(registry("portal")) as counts:
        assert [counts.hit(rule, "client") for _ in range(3)] == [True, True, False]
        assert 0 < counts.get_window_stats(rule, "client").reset_time - time.time() <= 61
        assert counts.storage.check()
    for user in ("room-status", "sync-worker"):
        with counts_as(registry(user)) as counts, pytest.raises(redis.RedisError):
            counts.hit(rule, "client")


def test_room_status_only_reads_the_keys_that_others_make(registry: UrlOf) -> None:
    with keyring_as(registry("portal")) as made:
        keys = made.create("t")
    with keyring_as(registry("room-status")) as ring:
        assert ring.keys("t") == keys
        for act in (ring.create, ring.destroy_data, ring.destroy_consent):
            with pytest.raises(StoreUnavailableError):
                act("t-another")


@pytest.mark.parametrize("user", ["portal", "sync-worker", "operator"])
def test_whoever_switches_an_organisation_off_destroys_its_keys_and_makes_new_ones(registry: UrlOf, user: str) -> None:
    with keyring_as(registry(user)) as ring:
        before = ring.create(f"doomed-{user}")
        ring.destroy_data(f"doomed-{user}")
        ring.destroy_consent(f"doomed-{user}")
        assert ring.create(f"doomed-{user}") != before


def test_only_the_operator_sees_all_keys_and_rows_at_once(registry: UrlOf) -> None:
    with keyring_as(registry("operator")) as ring, registry_as(registry("operator")) as rows:
        ring.create("t-moved")
        rows.put("rooms", "t-moved", "r", b"{}")
        assert ring.rewrap() == 0
        assert {key.tenant for key in ring.wrapped()} >= {"t-moved"}
        assert {row.tenant for row in rows.everything()} >= {"t-moved"}
    for user in ("portal", "sync-worker"):
        with keyring_as(registry(user)) as ring, registry_as(registry(user)) as rows:
            for act in (ring.rewrap, ring.wrapped, rows.everything):
                with pytest.raises(StoreUnavailableError):
                    act()


def test_room_status_sees_no_row_of_the_registry(registry: UrlOf) -> None:
    with registry_as(registry("room-status")) as rows, pytest.raises(StoreUnavailableError):
        rows.get("t", "x", "y")


def test_nobody_comes_in_without_a_password_but_to_ask_for_a_sign_of_life(registry: UrlOf) -> None:
    bare = registry("health").replace("health:secret-of-health@", "")
    with redis.Redis.from_url(bare) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with redis.Redis.from_url(registry("health")) as health:
        assert health.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            health.get("keyring")


def test_the_registry_is_durable_and_never_evicts(registry: UrlOf) -> None:
    text = START.read_text()

    assert "--appendonly yes --appendfsync always" in text
    assert "--maxmemory-policy noeviction" in text
    with redis.Redis.from_url(registry("operator")) as operator:
        assert operator.info("persistence")["aof_enabled"] == 1
        assert operator.info("memory")["maxmemory_policy"] == "noeviction"


def test_indices_of_people_with_some_hundred_meetings_are_kept_compact_in_the_view() -> None:
    assert "--zset-max-ziplist-entries 512" in START.read_text()
    with redis_server(RedisUse.VIEWS) as server, redis.Redis.from_url(server.url) as asked:
        asked.zadd("seen", {f"0:/m-{number:026d}": number for number in range(512)})
        assert asked.object("encoding", "seen") in {b"listpack", b"ziplist"}
