"""`roomsync doctor` after somebody swapped and altered rows of the registry's store, in each table that there is."""

from __future__ import annotations

from typing import Any

import pytest

from cli.common.exit_codes import FINDING
from shared.engines.bound_registry import BoundRegistry
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.registry.rows import Rows
from shared.registry.tables import TABLES, ReadTable
from tests.contract.golden.kinds import example
from tests.support.commands import Run

pytestmark = pytest.mark.proves("E11")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_doctor_names_each_row_that_was_swapped_or_altered(run: Run, engine: Engine, table: ReadTable[Any]) -> None:
    registry = engine.registry
    assert isinstance(registry, BoundRegistry)
    tenants = [
        enrol(registry, engine.keyring, provider="google", directory=each, name=each)
        for each in ("a.example", "b.example")
    ]
    rows = [(table.name, tenant, f"n{number:012d}") for tenant in tenants for number in (1, 2)]
    for _, tenant, row_id in rows:
        Rows(registry, table.name, table.row).put(tenant, row_id, example(table.row))
    assert "registry rows" not in run("doctor", "--json").out
    store = registry._registry
    stood = [found.value for place in rows if (found := store.get(*place))]

    store.put(*rows[0], stood[2])
    store.put(*rows[2], stood[0])
    store.put(*rows[3], stood[3].replace(b"{", b'{"more":1,', 1))

    ran = run("doctor", "--json")
    said = [line["said"] for line in ran.lines if line["check"] == "registry rows"]
    assert sorted(each.split(" ")[0] for each in said) == sorted("/".join(rows[number]) for number in (0, 2, 3))
    assert ran.code == FINDING
