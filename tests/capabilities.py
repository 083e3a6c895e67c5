"""`make capabilities`: the table of promises with the tests that prove each; a row without a test is not done."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "docs" / "capabilities.toml"


def rows() -> dict[str, str]:
    """Row → its gist, in the order of the table."""
    return dict(tomllib.loads(ROWS.read_text()))


def proofs() -> dict[str, list[str]]:
    """Row → the tests marked as proving it, read from the source without importing it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, row in marked(ast.parse(path.read_text())):
            found[row].append(f"{path.relative_to(ROOT)}{name and '::'}{name}")
    return found


def marked(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """
    The marks of a module of tests: the name of a test or class with a row that it proves.

    The name is "" for `pytestmark`, a mark or a list of them, which holds for every test of the module.
    """
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and _names_pytestmark(node):
            marks = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            yield from (("", row) for row in _rows_of(marks))
    for each in ast.walk(tree):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((each.name, row) for row in _rows_of(each.decorator_list))


def _names_pytestmark(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets)


def _rows_of(marks: Sequence[ast.expr | None]) -> Iterator[str]:
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.proves"):
            yield from (str(ast.literal_eval(argument)) for argument in mark.args)


def main() -> int:
    """Print the table; return 1 when a test names a row that does not exist."""
    proved, known = proofs(), rows()
    for row, gist in known.items():
        tests = proved.get(row, [])
        print(f"{row:4} {'proved' if tests else '  -   '}  {gist}")
        for test in tests:
            print(f"             {test}")
    strangers = sorted(proved.keys() - known.keys())
    done = sum(row in proved for row in known)
    print(f"\n{done} of {len(known)} rows have a test.", f"Unknown rows: {strangers}" if strangers else "")
    return int(bool(strangers))


if __name__ == "__main__":
    sys.exit(main())
