"""Every test that docs/threats.md names is there, and each threat names one."""

from __future__ import annotations

import ast
import re

import pytest

from shared.registry.tables import TABLES
from tests.support.paths import ROOT

THREATS = (ROOT / "docs/threats.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", THREATS)
ROWS = [line for line in THREATS.splitlines() if line.startswith("| ") and line.count(" | ") == 2 and "---" not in line]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_threat_names_a_test_that_shows_it() -> None:
    threats = [row for row in ROWS if not row.startswith("| wants |")]
    assert len(threats) > 20
    assert [row for row in threats if "::test_" not in row] == []


def test_each_table_says_how_much_can_be_written_into_it() -> None:
    section = THREATS.partition("## What people can write")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])]
    assert sorted(named) == sorted(table.name for table in TABLES)
