"""The chain of administrators' acts: several processes append to it, and nobody takes, swaps or adds an act beside us unseen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from shared.contracts.rows import AuditHeadRow, AuditRow
from shared.domain.instants import DAY_MS
from shared.engines.bound_registry import BoundRegistry
from shared.errors import RowRefusedError, StoreUnavailableError
from shared.organisations.audit_chain import (
    HEAD,
    append_act,
    digest_of,
    name_row,
    number_of,
    read_chain,
    read_latest_acts,
)
from shared.organisations.audit_check import KEPT_MS, ChainFault, ChainFinding, check_chain, fitting_numbers
from shared.ports.engine import Engine
from shared.ports.registry import Registry, Versioned
from shared.registry import tables
from tests.contract.conftest import EngineFactory
from tests.contract.deployments import ManualClock
from tests.support.patience import PATIENCE_S

AUDIT, HEADS = tables.audit.name, tables.audit_heads.name
pytestmark = pytest.mark.proves("E10")


@pytest.fixture
def registry(engine: Engine) -> Registry:
    return engine.registry


@pytest.fixture
def acted(registry: Registry, clock: ManualClock, tenant: str) -> Callable[[int], None]:
    """Appends so many acts."""

    def act(count: int) -> None:
        for _ in range(count):
            append_act(registry, tenant, AuditRow(at_ms=clock.now_ms(), user="u-ada", act="room.entered"))

    return act


def beneath(registry: Registry) -> Registry:
    """The store, as somebody sees it who can write to it beside us."""
    assert isinstance(registry, BoundRegistry)
    return registry._registry


def found(registry: Registry, clock: ManualClock, tenant: str) -> list[tuple[int, int, str]]:
    findings = check_chain(read_chain(registry, tenant)[0], clock.now_ms())
    return [(each.first, each.last, each.fault.value) for each in findings]


class Watched:
    """A registry that counts what is asked of it, and dies at a write if told to."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.asked: Counter[str] = Counter()
        self.dies_at = ""

    def get(self, *place: str) -> Versioned | None:
        self.asked["get"] += 1
        return self._registry.get(*place)

    def get_many(self, *asked: Any) -> Mapping[str, Versioned]:
        self.asked["get"] += 1
        return self._registry.get_many(*asked)

    def put(self, table: str, *rest: Any, **more: Any) -> int:
        self.asked["put"] += 1
        if table == self.dies_at:
            raise StoreUnavailableError
        return self._registry.put(table, *rest, **more)

    def delete(self, *place: str) -> None:
        self._registry.delete(*place)

    def scan(self, table: str, tenant: str) -> Iterator[tuple[str, Versioned]]:
        self.asked["scan"] += 1
        return self._registry.scan(table, tenant)

    def scan_named(self, table: str, tenant: str, owner: str) -> Iterator[tuple[str, Versioned]]:
        return self._registry.scan_named(table, tenant, owner)

    def close(self) -> None:
        self._registry.close()


def test_processes_that_append_at_once_give_each_number_once(
    engine_factory: EngineFactory, clock: ManualClock, tenant: str
) -> None:
    numbers: list[int] = []
    row = AuditRow(at_ms=clock.now_ms(), user="u-ada", act="room.entered")

    def append(registry: Registry) -> None:
        numbers.extend(append_act(registry, tenant, row) for _ in range(8))

    engines = [engine_factory() for _ in range(4)]
    threads = [threading.Thread(target=append, args=(each.registry,)) for each in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == list(range(1, 33))
    assert found(engines[0].registry, clock, tenant) == []


def test_of_two_that_have_read_the_same_head_each_gets_a_number_of_its_own(
    engine_factory: EngineFactory, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    acted(2)
    both = threading.Barrier(2)
    numbers: list[int] = []

    class Together(Watched):
        def get(self, *place: str) -> Versioned | None:
            found = super().get(*place)
            if self.asked["get"] == 1:
                both.wait(PATIENCE_S)
            return found

    def append(registry: Registry) -> None:
        row = AuditRow(at_ms=clock.now_ms(), user="u-ben", act="room.removed")
        numbers.append(append_act(Together(registry), tenant, row))

    engines = [engine_factory() for _ in range(2)]
    threads = [threading.Thread(target=append, args=(each.registry,)) for each in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == [3, 4]
    assert found(engines[0].registry, clock, tenant) == []


@pytest.mark.parametrize("length", [0, 1, 3])
@pytest.mark.parametrize("at", [AUDIT, HEADS])
def test_a_crash_at_either_write_leaves_a_whole_chain_that_goes_on(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str, length: int, at: str
) -> None:
    acted(length)
    dying = Watched(registry)
    dying.dies_at = at
    with pytest.raises(StoreUnavailableError):
        append_act(dying, tenant, AuditRow(at_ms=clock.now_ms(), user="u-ben", act="room.removed"))

    assert found(registry, clock, tenant) == []
    acted(2)
    assert found(registry, clock, tenant) == []
    wrote = at == HEADS and length > 0
    assert max(read_chain(registry, tenant)[0].entries) == length + 2 + wrote


def test_appending_costs_the_same_however_long_the_chain_is(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    watched = Watched(registry)
    asked = []
    for _ in range(2):
        acted(20)
        watched.asked.clear()
        append_act(watched, tenant, AuditRow(at_ms=clock.now_ms(), user="u-ada", act="room.entered"))
        asked.append(dict(watched.asked))
    assert asked == [{"get": 1, "put": 2}] * 2


def moved(store: Registry, tenant: str, source: int, target: int) -> None:
    row = store.get(AUDIT, tenant, name_row(source))
    assert row is not None
    store.put(AUDIT, tenant, name_row(target), row.value)


def deleted(*numbers: int) -> Callable[[Registry, str], None]:
    return lambda store, tenant: [store.delete(AUDIT, tenant, name_row(each)) for each in numbers] and None


def swapped(store: Registry, tenant: str) -> None:
    rows = {each: store.get(AUDIT, tenant, name_row(each)) for each in (2, 3)}
    store.put(AUDIT, tenant, name_row(2), rows[3].value)  # type: ignore[union-attr]
    store.put(AUDIT, tenant, name_row(3), rows[2].value)  # type: ignore[union-attr]


def altered(store: Registry, tenant: str) -> None:
    row = store.get(AUDIT, tenant, name_row(3))
    assert row is not None
    store.put(AUDIT, tenant, name_row(3), row.value.replace(b"u-ada", b"u-ben"))


def forged(number: int) -> Callable[[Registry, str], None]:
    row = AuditRow(at_ms=1, user="u-eve", act="role.given")
    return lambda store, tenant: store.put(AUDIT, tenant, name_row(number), msgspec.json.encode(row)) and None


BROKEN: dict[str, tuple[Callable[[Registry, str], None], list[tuple[int, int, str]]]] = {
    "one deleted": (deleted(3), [(3, 3, "missing")]),
    "two deleted": (deleted(3, 4), [(3, 4, "missing")]),
    "the beginning deleted": (deleted(1, 2), [(1, 2, "missing")]),
    "the end cut off": (deleted(5, 6), [(5, 6, "missing")]),
    "all deleted": (deleted(1, 2, 3, 4, 5, 6), [(1, 6, "missing")]),
    "two swapped": (swapped, [(2, 2, "altered"), (3, 3, "altered")]),
    "one altered": (altered, [(3, 3, "altered")]),
    "one moved behind the end": (lambda store, tenant: moved(store, tenant, 2, 7), [(7, 7, "altered")]),
    "one bound to nothing put behind the end": (forged(7), [(7, 7, "altered")]),
    "one bound to nothing put in another's place": (forged(4), [(4, 4, "altered")]),
    "the head deleted": (lambda store, tenant: store.delete(HEADS, tenant, HEAD), [(6, 6, "no-head")]),
    "a head bound to nothing": (
        lambda store, tenant: (
            store.put(HEADS, tenant, HEAD, msgspec.json.encode(AuditHeadRow(number=4, digest="x"))) and None
        ),
        [(6, 6, "no-head")],
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_done_to_the_chain_beside_us_is_found_where_it_was_done(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str, how: str
) -> None:
    acted(6)
    assert found(registry, clock, tenant) == []
    tamper, expected = BROKEN[how]

    tamper(beneath(registry), tenant)

    assert found(registry, clock, tenant) == expected
    assert all(finding.as_text() for finding in check_chain(read_chain(registry, tenant)[0], clock.now_ms()))


def test_a_row_of_a_chain_that_was_is_not_one_of_the_chain_that_is(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    acted(4)
    store = beneath(registry)
    kept = {number: store.get(AUDIT, tenant, name_row(number)) for number in range(1, 5)}
    deleted(1, 2, 3, 4)(store, tenant)
    store.delete(HEADS, tenant, HEAD)
    clock.at_ms += 1
    acted(4)

    for number in (2, 4):
        store.put(AUDIT, tenant, name_row(number), kept[number].value)  # type: ignore[union-attr]

    assert found(registry, clock, tenant) == [(2, 2, "another"), (4, 4, "another")]


def test_acts_go_on_without_the_head_and_say_that_they_do(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    acted(6)
    store = beneath(registry)
    deleted(5, 6)(store, tenant)
    store.delete(HEADS, tenant, HEAD)

    acted(2)

    assert found(registry, clock, tenant) == [(5, 5, "begun-anew")]


def test_what_has_ended_its_year_is_not_missing(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    acted(3)
    clock.at_ms += 30 * DAY_MS
    acted(3)
    clock.at_ms += KEPT_MS - 30 * DAY_MS
    assert sorted(read_chain(registry, tenant)[0].entries) == [4, 5, 6]
    assert found(registry, clock, tenant) == []
    acted(1)
    assert found(registry, clock, tenant) == []

    clock.at_ms += KEPT_MS

    assert read_chain(registry, tenant)[0].entries == {}
    assert found(registry, clock, tenant) == []
    acted(1)
    assert sorted(read_chain(registry, tenant)[0].entries) == [8]
    assert found(registry, clock, tenant) == []


def test_rows_of_the_first_version_are_read_and_stand_before_the_chain(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    old = AuditRow(at_ms=clock.now_ms() - DAY_MS, user="u-ada", act="integration.enabled")
    beneath(registry).put(AUDIT, tenant, f"{old.at_ms:015d}-00aa11bb", msgspec.json.encode(old))

    acted(2)

    chain, unchained = read_chain(registry, tenant)
    assert (sorted(chain.entries), unchained) == ([1, 2], [old])
    assert found(registry, clock, tenant) == []
    assert next(row.act for _, row in tables.audit(registry).scan(tenant)) == "integration.enabled"


def test_a_row_that_cannot_be_read_does_not_hide_the_others(registry: Registry, tenant: str) -> None:
    for name in ("1", "3"):
        tables.audit(registry).put(tenant, name, AuditRow(at_ms=1, user="u-ada", act="room.entered"))
    registry.put(AUDIT, tenant, "2", b'{"not":"an act"}')
    refused: list[RowRefusedError] = []

    read = [row_id for row_id, _ in tables.audit(registry).scan_readable(tenant, refused.append)]

    assert (read, [error.place for error in refused]) == (["1", "3"], [(AUDIT, tenant, "2")])


def test_of_a_backup_fits_what_continues_the_chain_that_stands(
    registry: Registry, acted: Callable[[int], None], clock: ManualClock, tenant: str
) -> None:
    acted(6)
    whole, _ = read_chain(registry, tenant)
    deleted(2, 3)(beneath(registry), tenant)
    chain, _ = read_chain(registry, tenant)
    assert fitting_numbers(chain, whole.entries) == {2, 3}
    other = {each: entry for each, entry in whole.entries.items() if each != 3}
    assert fitting_numbers(chain, other) == set()
    assert check_chain(whole, clock.now_ms()) == []


def test_ids_of_numbers_sort_as_they_do_and_are_told_from_others() -> None:
    assert name_row(9) < name_row(10)
    assert [number_of(each) for each in (name_row(7), "000001700000000-ab12", "n7", "n" + "9" * 40, "nabc")] == [
        7,
        0,
        0,
        0,
        0,
    ]
    assert digest_of(name_row(1), b"{}") != digest_of(name_row(2), b"{}")
    assert ChainFinding(1, 2, ChainFault.MISSING).as_text() == "Entries 1 to 2 are missing."


def test_latest_acts_are_read_without_the_chain(
    registry: Registry, clock: ManualClock, tenant: str, acted: Callable[[int], None]
) -> None:
    acted(30)
    clock.at_ms += 3_600_000
    acted(3)
    assert [row.at_ms for row in read_latest_acts(registry, tenant, clock.now_ms(), 500)] == [clock.now_ms()] * 3
    assert len(read_latest_acts(registry, tenant, 0, 10)) == 10
    watched = Watched(registry)
    read_latest_acts(watched, tenant, clock.now_ms(), 500)  # type: ignore[arg-type]
    assert watched.asked["scan"] == 0
    assert watched.asked["get"] == 5, "the head, three acts, and the one that is too old"
