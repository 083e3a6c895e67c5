"""Every table is declared once: what seals, erases and restores its rows follows from there, and nothing names one by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shared.contracts import rows
from shared.contracts.erasure import KeyClass
from shared.registry import tables
from tests.contract.golden.kinds import kinds
from tests.support.paths import ROOT

PRODUCT = [
    path
    for folder in ("shared", "services", "cli")
    for path in (ROOT / folder).rglob("*.py")
    if path != ROOT / "shared" / "registry" / "tables.py"
]
_STORE = {"get", "put", "delete", "scan"}


def literals(tree: ast.AST) -> Iterator[str]:
    """String literals that name a table to a registry, are compared with a row's table, or are kept as a table's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _STORE:
            owner = ast.unparse(node.func.value)
            found: list[ast.expr] = node.args[:1] if owner.endswith("registry") else []
        elif isinstance(node, ast.Compare) and "table" in ast.unparse(node.left):
            found = list(node.comparators)
        elif isinstance(node, ast.Assign) and "TABLE" in ast.unparse(node.targets[0]).upper():
            found = [node.value]
        else:
            found = []
        yield from (each.value for each in found if isinstance(each, ast.Constant) and isinstance(each.value, str))


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_table_is_named_outside_the_table_of_tables(path: Path) -> None:
    assert [name for name in literals(ast.parse(path.read_text())) if name in tables.BY_NAME] == []


def test_a_table_named_by_hand_would_be_noticed() -> None:
    code = 'self._registry.get("tenants", t, r)\nif row.table == "rooms": pass\nTABLE = "sign-ins"\n'
    assert sorted(literals(ast.parse(code))) == ["rooms", "sign-ins", "tenants"]


def test_every_row_struct_is_the_row_of_a_table() -> None:
    structs = {
        kind
        for name, kind in vars(rows).items()
        if isinstance(kind, type)
        and issubclass(kind, msgspec.Struct)
        and name.endswith("Row")
        and not name.startswith("_")
    }
    assert structs <= {table.row for table in tables.TABLES}


def test_every_table_declared_is_in_the_table_of_tables() -> None:
    declared = [each for each in vars(tables).values() if isinstance(each, tables.ReadTable)]
    assert sorted(table.name for table in declared) == sorted(tables.BY_NAME)


def test_every_row_has_a_golden_record() -> None:
    assert {table.row.__name__ for table in tables.TABLES} <= kinds().keys()


def test_what_a_key_seals_is_erased_with_it_unless_it_means_something_without() -> None:
    outlive = {table.name for table in tables.TABLES if table.sealed_by and not table.erased_with}
    assert outlive == {"appointments"}  # rights by the pseudonym of an address: they hold, whoever can read the address
    assert all(table.erased_with in {None, *KeyClass} for table in tables.TABLES)
