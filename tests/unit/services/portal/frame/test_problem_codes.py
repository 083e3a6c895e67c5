"""Every code of a problem document with its status: a program that knows the code knows the status."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from services.portal.interface.problem_codes import QUOTAS as COUNTED
from services.portal.interface.problem_codes import STATUS_OF
from tests.support.paths import ROOT

QUOTAS = {"*-full": {"CONFLICT", "TOO_MANY_REQUESTS"}}
"""One code for each kind of row: some are kept until they are taken away, the others counted by the day."""
MAKERS = ("ProblemError", "FieldProblemError")
OF_OTHERS = {"*"}
"""Not ours: an error of HTTP itself, whose code is the phrase of its status."""


def written_codes() -> Iterator[tuple[str, str, str]]:
    """Code, status and place of every problem that a service makes."""
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in MAKERS:
                status, code = node.args[:2]
                yield _as_text(code), ast.unparse(status).removeprefix("HTTPStatus."), f"{path.name}:{node.lineno}"


def _as_text(code: ast.expr) -> str:
    match code:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
        case _:
            return "*"


def test_each_code_has_one_status_and_stands_in_the_table() -> None:
    written = [each for each in written_codes() if each[0] not in OF_OTHERS | QUOTAS.keys()]
    wrong = [
        f"{place}: {code} is {status}"
        for code, status, place in written
        if code not in STATUS_OF or STATUS_OF[code].name != status
    ]
    assert wrong == [], (
        "give the code the status of services/portal/interface/problem_codes.py, or a new code a line there"
    )
    assert STATUS_OF.keys() - {code for code, _, _ in written} == set()


def test_no_kind_of_row_is_counted_in_both_ways() -> None:
    counted: dict[str, set[str]] = {"reserve": set(), "reserve_today": set()}
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in counted:
                counted[node.func.attr].add(ast.unparse(node.args[0]))
    assert all(counted.values())
    assert counted["reserve"].isdisjoint(counted["reserve_today"])


def test_each_code_of_a_full_quota_has_the_status_of_its_kind() -> None:
    assert {status.name for status in COUNTED.values()} == QUOTAS["*-full"]
