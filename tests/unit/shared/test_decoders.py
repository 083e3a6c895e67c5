"""Decoders are made in one place, which makes them one at a time: two that were made at once would end the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.paths import ROOT

PLACE = "shared/decoders.py"
MAKES = ("convert", "Decoder")
"""Of msgspec's: they build what has to be known of a type, as does `decode` that is given one."""


def makers(source: str) -> Iterator[str]:
    """The calls that build what msgspec has to know of a type."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)).startswith("msgspec."):
            name = called.rpartition(".")[2]
            typed = name == "decode" and any(keyword.arg == "type" for keyword in node.keywords)
            if typed or name in MAKES:
                yield called


def test_nobody_else_makes_a_decoder() -> None:
    found = {
        str(path.relative_to(ROOT)): list(makers(path.read_text()))
        for folder in ("services", "shared", "cli")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert found.pop(PLACE)
    assert {path: calls for path, calls in found.items() if calls} == {}
