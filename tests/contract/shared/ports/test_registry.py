"""The promises of the Registry port: rows under a tenant, compare-and-set, deadlines."""

from __future__ import annotations

import threading

import pytest

from shared.errors import ConflictError
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from tests.contract.conftest import EngineFactory
from tests.contract.deployments import ManualClock

TABLE = "rooms"


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return engine.registry


def value(registry: Registry, tenant: str, row: str, *, table: str = TABLE) -> bytes | None:
    found = registry.get(table, tenant, row)
    return found.value if found else None


def test_a_row_is_read_by_every_process_as_it_was_written(
    registry: Registry, engine_factory: EngineFactory, tenant: str
) -> None:
    version = registry.put(TABLE, tenant, "r-1", b"\x00value\xff")
    found = engine_factory().registry.get(TABLE, tenant, "r-1")
    assert found is not None
    assert (found.value, found.version) == (b"\x00value\xff", version)
    assert version > 0


def test_a_row_that_was_never_written_or_was_deleted_is_absent(registry: Registry, tenant: str) -> None:
    assert registry.get(TABLE, tenant, "r-1") is None
    registry.put(TABLE, tenant, "r-1", b"1")
    registry.delete(TABLE, tenant, "r-1")
    registry.delete(TABLE, tenant, "r-1")
    assert registry.get(TABLE, tenant, "r-1") is None


def test_of_many_rows_those_that_are_there_are_read_at_once(
    registry: Registry, tenant: str, clock: ManualClock
) -> None:
    first = registry.put(TABLE, tenant, "r-1", b"1")
    registry.put(TABLE, tenant, "r-2", b"2", not_after_ms=clock.at_ms + 10)
    registry.put(TABLE, "t-other", "r-3", b"3")
    registry.put("others", tenant, "r-4", b"4")
    asked = {"r-1", "r-2", "r-3", "r-4", "r-5"}
    assert {row: found.value for row, found in registry.get_many(TABLE, tenant, asked).items()} == {
        "r-1": b"1",
        "r-2": b"2",
    }
    clock.at_ms += 10
    assert {row: found.version for row, found in registry.get_many(TABLE, tenant, asked).items()} == {"r-1": first}
    assert registry.get_many(TABLE, tenant, ()) == {}


def test_writing_over_a_version_needs_that_very_version(registry: Registry, tenant: str) -> None:
    first = registry.put(TABLE, tenant, "r", b"1", expect=0)
    second = registry.put(TABLE, tenant, "r", b"2", expect=first)
    assert second > first
    for stale in (0, first, second + 1):
        with pytest.raises(ConflictError):
            registry.put(TABLE, tenant, "r", b"lost", expect=stale)
    assert value(registry, tenant, "r") == b"2"
    registry.put(TABLE, tenant, "r", b"3")
    assert value(registry, tenant, "r") == b"3"


def test_expecting_a_version_of_an_absent_row_is_a_conflict(registry: Registry, tenant: str) -> None:
    with pytest.raises(ConflictError):
        registry.put(TABLE, tenant, "r", b"1", expect=1)
    assert value(registry, tenant, "r") is None


def test_of_writers_at_once_one_wins_each_round(engine_factory: EngineFactory, tenant: str) -> None:
    rounds, writers = 15, 3
    engine_factory().registry.put("counters", tenant, "c", b"0")

    def count_up(registry: Registry) -> None:
        done = 0
        while done < rounds:
            found = registry.get("counters", tenant, "c")
            assert found
            try:
                registry.put("counters", tenant, "c", b"%d" % (int(found.value) + 1), expect=found.version)
            except ConflictError:
                continue
            done += 1

    registries = [engine_factory().registry for _ in range(writers)]
    threads = [threading.Thread(target=count_up, args=(registry,)) for registry in registries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(registries[0], tenant, "c", table="counters") == b"%d" % (rounds * writers)


def test_a_row_past_its_deadline_is_refused_and_may_be_made_anew(
    registry: Registry, tenant: str, clock: ManualClock
) -> None:
    deadline = clock.at_ms + 432_000_000
    version = registry.put(TABLE, tenant, "r", b"1", not_after_ms=deadline)
    registry.put(TABLE, tenant, "stays", b"1")
    clock.at_ms = deadline - 1
    assert value(registry, tenant, "r") == b"1"
    clock.at_ms = deadline
    assert [row for row, _ in registry.scan(TABLE, tenant)] == ["stays"]
    assert value(registry, tenant, "r") is None
    assert [row for row, _ in registry.scan(TABLE, tenant)] == ["stays"]
    with pytest.raises(ConflictError):
        registry.put(TABLE, tenant, "r", b"2", expect=version)
    registry.put(TABLE, tenant, "r", b"2", expect=0)
    assert value(registry, tenant, "r") == b"2"


def test_writing_without_a_deadline_lifts_it(registry: Registry, tenant: str, clock: ManualClock) -> None:
    registry.put(TABLE, tenant, "r", b"1", not_after_ms=clock.at_ms + 1000)
    registry.put(TABLE, tenant, "r", b"2")
    clock.at_ms += 2000
    assert value(registry, tenant, "r") == b"2"


def test_a_tenant_sees_its_own_rows_only(registry: Registry, tenant: str) -> None:
    other = f"{tenant}-other"
    registry.put(TABLE, tenant, "r", b"mine")
    registry.put(TABLE, other, "r", b"theirs")
    registry.put("users", tenant, "r", b"elsewhere")
    assert value(registry, tenant, "r") == b"mine"
    assert [(row, found.value) for row, found in registry.scan(TABLE, tenant)] == [("r", b"mine")]
    registry.delete(TABLE, other, "r")
    assert value(registry, tenant, "r") == b"mine"


def test_names_that_look_like_paths_or_patterns_are_only_names(registry: Registry, tenant: str) -> None:
    for row in ("a/b", "a:b", "*", "a", "%", "b'; --"):
        registry.put(TABLE, tenant, row, row.encode())
    registry.put(TABLE, f"{tenant}/a", "b", b"another tenant")
    registry.put(TABLE, f"{tenant}:a", "b", b"another tenant")
    assert {row: found.value for row, found in registry.scan(TABLE, tenant)} == {
        row: row.encode() for row in ("a/b", "a:b", "*", "a", "%", "b'; --")
    }


@pytest.mark.proves("M8")
def test_rows_that_name_an_owner_are_found_by_either_end_of_their_id(registry: Registry, tenant: str) -> None:
    odd = "u-*[a]?"
    mine = ["u-1/2026-12-01", "a/b/u-1", f"{odd}/x"]
    for row in (*mine, "u-1", "u-12/x", "x/u-12", "xu-1/y", "a/u-1/b", "u-xa"):
        registry.put(TABLE, tenant, row, b"1")
    registry.put(TABLE, tenant, "gone/u-1", b"1", not_after_ms=1)
    registry.put(TABLE, f"{tenant}-other", "b/u-1", b"1")
    assert [row for row, _ in registry.scan_named(TABLE, tenant, "u-1")] == sorted(mine[:2])
    assert [(row, found.value) for row, found in registry.scan_named(TABLE, tenant, odd)] == [(mine[2], b"1")]


def test_scanning_goes_by_row_and_may_write_meanwhile(registry: Registry, tenant: str) -> None:
    for number in (3, 1, 2):
        registry.put(TABLE, tenant, f"r-{number}", b"%d" % number)
    seen = []
    for row, found in registry.scan(TABLE, tenant):
        seen.append(row)
        registry.put(TABLE, tenant, row, found.value + b"!", expect=found.version)
    assert seen == ["r-1", "r-2", "r-3"]
    assert [found.value for _, found in registry.scan(TABLE, tenant)] == [b"1!", b"2!", b"3!"]
