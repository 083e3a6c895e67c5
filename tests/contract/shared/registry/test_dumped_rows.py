"""Somebody dumps the registry's store and puts rows back elsewhere or altered: each is refused, in every table that there is."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.contracts.erasure import KeyClass
from shared.engines.bound_registry import BoundRegistry
from shared.errors import RowRefusedError
from shared.ports.engine import Engine
from shared.ports.holdings import StoredRow
from shared.registry import tables
from shared.registry.rows import Rows
from shared.registry.tables import TABLES, ReadTable
from tests.contract.golden.kinds import example

pytestmark = pytest.mark.proves("E11")
Place = tuple[str, str, str]
ROWS = ("n000000000001", "n000000000002")


@pytest.fixture
def registry(engine: Engine) -> BoundRegistry:
    assert isinstance(engine.registry, BoundRegistry)
    return engine.registry


def some_rows(registry: BoundRegistry, tenant: str, table: ReadTable[Any]) -> list[Place]:
    """Rows of the table: two of one organisation and one of another."""
    others = f"t-{uuid.uuid4().hex[:12]}"
    places = [(table.name, tenant, ROWS[0]), (table.name, tenant, ROWS[1]), (table.name, others, ROWS[0])]
    for _, whose, row_id in places:
        Rows(registry, table.name, table.row).put(whose, row_id, example(table.row))
    return places


def dump(registry: BoundRegistry, places: list[Place]) -> list[StoredRow]:
    """What somebody sees who can read the store itself."""
    wanted = set(places)
    return [each for each in registry._registry.everything() if (each.table, each.tenant, each.row) in wanted]


def put_back(registry: BoundRegistry, place: Place, value: bytes) -> None:
    registry._registry.put(*place, value)


def read(registry: BoundRegistry, table: ReadTable[Any], place: Place) -> None:
    table(registry).get(place[1], place[2])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_swapped_rows_are_refused_wherever_they_are_read(
    registry: BoundRegistry, tenant: str, table: ReadTable[Any]
) -> None:
    mine, second, others = some_rows(registry, tenant, table)
    for one, other in ((mine, second), (mine, others)):
        stood = {(row.table, row.tenant, row.row): row.value for row in dump(registry, [one, other])}
        put_back(registry, one, stood[other])
        put_back(registry, other, stood[one])
        for place in (one, other):
            with pytest.raises(RowRefusedError) as raised:
                read(registry, table, place)
            assert raised.value.place == place
            with pytest.raises(RowRefusedError):
                list(table(registry).scan(place[1]))
        assert {one, other} <= {refused[:3] for refused in registry.refused()}
        for place, value in stood.items():
            put_back(registry, place, value)
            read(registry, table, place)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_row_of_another_table_is_refused(registry: BoundRegistry, tenant: str, table: ReadTable[Any]) -> None:
    mine = some_rows(registry, tenant, table)[0]
    for other in TABLES:
        if other is not table:
            [row] = dump(registry, some_rows(registry, tenant, other)[:1])
            put_back(registry, mine, row.value)
            with pytest.raises(RowRefusedError):
                read(registry, table, mine)


ALTERED: dict[str, Callable[[bytes], bytes]] = {
    "a field more": lambda value: value.replace(b"{", b'{"more":1,', 1),
    "a letter": lambda value: re.sub(rb"[7n]", b"8", value, count=1),
    "the name of its key": lambda value: value.replace(b'"~":"k', b'"~":"x'),
    "its end": lambda value: value[:-2] + b"}",
    "no bytes": lambda _: b"",
    "no JSON": lambda value: value[1:],
}


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_altered_row_is_refused(registry: BoundRegistry, tenant: str, table: ReadTable[Any], how: str) -> None:
    mine = some_rows(registry, tenant, table)[0]
    [row] = dump(registry, [mine])
    altered = ALTERED[how](row.value)
    assert altered != row.value

    put_back(registry, mine, altered)

    with pytest.raises(RowRefusedError):
        read(registry, table, mine)
    assert mine in {refused[:3] for refused in registry.refused()}


def test_rows_without_a_seal_are_taken_where_the_first_version_wrote_such_alone(
    registry: BoundRegistry, tenant: str
) -> None:
    places = {table.name: some_rows(registry, tenant, table) for table in TABLES}
    taken = set()
    for table in TABLES:
        mine = places[table.name][0]
        put_back(registry, mine, msgspec.json.encode(example(table.row)))
        if mine not in {refused[:3] for refused in registry.refused()}:
            taken.add(table.name)
            read(registry, table, mine)
    since = {
        "notifications", "decline-incidents", "webhooks", "webhook-deliveries", "chat-channels", "room-imports",
        "notice-browsers", "people-index",
    }  # fmt: skip
    assert {table.name for table in TABLES} - taken == {"audit", "audit-heads", "tenant-consents", *since}
    strict = BoundRegistry(registry._registry, registry._keys, registry._current, refuse_unbound=True)
    assert {mine for mine, *_ in places.values()} <= {refused[:3] for refused in strict.refused()}


@pytest.mark.parametrize("key", KeyClass)
def test_no_tampered_row_stops_an_erasure(registry: BoundRegistry, tenant: str, key: KeyClass) -> None:
    places = {table.name: some_rows(registry, tenant, table) for table in tables.erased_with(key)}
    for table in tables.erased_with(key):
        mine, second, _ = places[table.name]
        [row] = dump(registry, [second])
        put_back(registry, mine, row.value)

    tables.delete_with(registry, tenant, key)

    for table in tables.erased_with(key):
        left = dump(registry, places[table.name][:2])
        spared = [] if table.spared is None else [places[table.name][1]]
        assert [(row.table, row.tenant, row.row) for row in left] == spared
