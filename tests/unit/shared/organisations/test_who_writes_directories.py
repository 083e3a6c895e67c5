"""Whose a directory is, one function writes, and a restore of what it wrote: whoever else tries has no handle to do it with."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from shared.registry import tables
from shared.registry.rows import Rows
from shared.registry.tables import TABLES, Table
from tests.support.paths import ROOT

FOLDERS = ("services", "shared", "cli")
HANDLE = "shared/organisations/enrolment.py: _written"
MAKER = "shared/organisations/enrolment.py: _claim"
"""Who says whose a directory is."""
USERS = {MAKER, *(f"shared/organisations/enrolment.py: {name}" for name in ("begin_leaving", "finish_leaving"))}
"""Who has the handle: whoever gives a directory up says whose it was, and makes it nobody's."""
RAW_WRITERS = {
    "shared/engines/bound_registry.py",  # binds what others write, and binds it anew
    "shared/organisations/audit_chain.py",  # the tables `audit` and `audit-heads`
    "shared/organisations/removal.py",  # deletes an organisation's rows of every table, and writes none: the operator's
    "shared/registry/rows.py",  # the handle itself
    "cli/registry/contents.py",  # restores and imports: the operator's
}
"""Who puts rows into a registry past the handles."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def functions(path: str, tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every node, with the function that it stands in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from ((f"{path}: {node.name}", inner) for inner in ast.walk(node))


@pytest.mark.proves("E11")
def test_table_of_directories_is_given_out_to_be_read_alone() -> None:
    handle = tables.directories(object())  # type: ignore[arg-type]  # nothing is asked of it
    assert [name for name in ("put", "add", "change", "delete") if hasattr(handle, name)] == []
    assert not isinstance(handle, Rows)
    assert [table.name for table in TABLES if not isinstance(table, Table)] == ["directories"]


@pytest.mark.proves("E11")
def test_one_function_makes_a_handle_that_writes_directories() -> None:
    found = {
        called: {
            where
            for path, tree in sources()
            for where, node in functions(path, tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == called
            and not path.startswith("shared/registry/")
        }
        for called in ("Rows", "DirectoryRow", "_written")
    }
    assert found == {"Rows": {HANDLE}, "DirectoryRow": {MAKER}, "_written": USERS}


@pytest.mark.proves("E11")
def test_nobody_else_writes_past_the_handles() -> None:
    def is_registry(node: ast.expr) -> bool:
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        return name.strip("_") == "registry"

    found = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"put", "delete"} and is_registry(node.value)
    }
    assert found == RAW_WRITERS
