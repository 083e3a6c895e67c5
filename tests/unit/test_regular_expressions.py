"""Every regular expression of the product is a constant, bounds each repetition, and costs linear time."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "cli", "deploy")
OTHER_ENGINES = {"regex", "re2", "sre_compile", "fnmatch", "hyperscan"}
BROWSER = sorted(
    path for kind in ("static/**/*.js", "templates/*.html") for path in ROOT.glob(f"services/portal/{kind}")
)
_JS_PROPERTY = re.compile(r"\\p\{[A-Za-z_=]{1,40}\}")
"""One character of a kind, which `re` cannot read: a letter stands for it."""
_JS_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)
_JS_LITERAL = re.compile(r"(?<=[(=,:!&|?{;\[])\s*/(?![/*])((?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\n\[])+)/[dgimsuvy]*")
_HTML_PATTERN = re.compile(r"\bpattern=\"([^\"]*)\"")
_MAY_HAVE_ONE = re.compile(r"\bre\b|\bpattern\b")
USES = {"compile", "fullmatch", "match", "search", "sub", "subn", "split", "findall", "finditer"}
SMALL, GROWTH = 500, 8
QUADRATIC_FROM = 24.0
"""Growing eightfold costs a linear expression 8 times the work, a quadratic one 64 times: the mean of both in ratios."""
FEW = 3
PUMPS = (
    "a",
    "A",
    "1",
    "0",
    " ",
    "\t",
    "-",
    "_",
    ".",
    "@",
    "%40",
    "a.",
    "a-",
    "a_",
    "a@",
    "1.",
    "-1.",
    ".1.",
    "\"'",
    "é",
    ",",
)
ENDS = ("", "\n", "!", "@", " =", "\x00")


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Every use of the module `re`, and every `pattern=` of a struct's field."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        of_re = (
            isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"
        )
        if of_re and isinstance(function, ast.Attribute) and function.attr in USES:
            yield node


def expressions() -> list[tuple[str, ast.expr]]:
    """Where each stands, and its source."""
    found: list[tuple[str, ast.expr]] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            if not _MAY_HAVE_ONE.search(text):
                continue  # to read every module took seconds, in each process that collects these tests
            where, tree = str(path.relative_to(ROOT)), ast.parse(text)
            found += [(f"{where}:{call.lineno}", call.args[0]) for call in calls(tree)]
            found += [
                (f"{where}:{word.value.lineno}", word.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Call)
                for word in node.keywords
                if word.arg == "pattern" and isinstance(word.value, ast.Constant)
            ]
    return found


EXPRESSIONS = expressions()


def is_for_whole_texts(where: str) -> bool:
    """Whether the expression on that line is held against whole texts (`fullmatch`) and not searched for."""
    path, _, line = where.rpartition(":")
    text = (ROOT / path).read_text()
    name = text.splitlines()[int(line) - 1].partition(" = ")[0].strip()
    return "re.fullmatch(" in text.splitlines()[int(line) - 1] or f"{name}.fullmatch(" in text


def text_of(where: str, source: ast.expr) -> str:
    """The expression; one that is put together out of constants is read off its compiled constant. "" when there is none."""
    path, _, line = where.rpartition(":")
    if isinstance(source, ast.Constant):
        known = source.value
    else:
        name = (ROOT / path).read_text().splitlines()[int(line) - 1].partition(" = ")[0].strip()
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        known = getattr(getattr(module, name, None), "pattern", "")
    return known.decode("latin-1") if isinstance(known, bytes) else str(known)


def in_browsers() -> list[tuple[str, str, bool]]:
    """Where each expression of a script or a form field stands, its source, and whether it is held against a whole text."""
    found: list[tuple[str, str, bool]] = []
    for path in BROWSER:
        where, text = str(path.relative_to(ROOT)), path.read_text()
        found += [(f"{where}:pattern", pattern, True) for pattern in _HTML_PATTERN.findall(text)]
        scripts = [text] if path.suffix == ".js" else re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
        found += [
            (where, _JS_PROPERTY.sub("x", source), False)
            for script in scripts
            for source in _JS_LITERAL.findall(_JS_COMMENT.sub("", script))
        ]
    return found


def literals() -> list[Any]:
    ours = [pytest.param(text_of(where, source), is_for_whole_texts(where), id=where) for where, source in EXPRESSIONS]
    return ours + [pytest.param(source, whole, id=where) for where, source, whole in in_browsers()]


def modules() -> Iterator[ModuleType]:
    """Every module of the product, imported."""
    for folder in FOLDERS:
        package = importlib.import_module(folder)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{folder}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def compiled_in(value: Any, depth: int = 4) -> Iterator[re.Pattern[Any]]:
    """The compiled expressions in a constant, however it holds them."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from compiled_in(getattr(value, field.name), depth - 1)
    elif depth and isinstance(value, dict | list | tuple | set | frozenset):
        parts: Iterable[Any] = [*value, *value.values()] if isinstance(value, dict) else value
        for part in parts:
            yield from compiled_in(part, depth - 1)


def imported_engines(tree: ast.AST) -> Iterator[str]:
    """What a module takes expressions from otherwise than as `re.…`, where this test would not find them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {"re", *OTHER_ENGINES}:
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (
                name.name for name in node.names if name.name in OTHER_ENGINES or (name.name == "re" and name.asname)
            )


def unbounded(parsed: Any) -> Iterator[str]:
    """The repetitions without an end in a parsed expression."""
    parser = importlib.import_module("re._parser")
    for operation, argument in parsed:
        if str(operation) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and argument[1] == parser.MAXREPEAT:
            yield str(argument[2])
        for part in argument if isinstance(argument, tuple | list) else ():
            for inner in part if isinstance(part, list) else (part,):
                if isinstance(inner, parser.SubPattern):
                    yield from unbounded(inner)


def work_ns(pattern: re.Pattern[str], text: str, *, whole: bool) -> int:
    """The processor time of this thread alone for everything that the expression does with `text`."""
    best = 0
    for _ in range(FEW):
        began = time.thread_time_ns()
        _ = pattern.fullmatch(text) if whole else pattern.sub("", text)
        took = time.thread_time_ns() - began
        best = min(best, took) if best else took
    return max(best, 1)


def growth(pattern: re.Pattern[str], pump: str, end: str, *, whole: bool) -> float:
    """How many times the work is that an input of `GROWTH` times the length costs."""
    short, long = (pump * (length // len(pump)) + end for length in (SMALL, SMALL * GROWTH))
    return work_ns(pattern, long, whole=whole) / work_ns(pattern, short, whole=whole)


def pumps(source: str) -> list[str]:
    words = re.findall(r"[A-Za-z0-9]{2,40}", source)
    return [
        *PUMPS,
        *words,
        *(f"-{word}" for word in words),
        *(f"{word} " for word in words),
        *(f"{word}_" for word in words),
    ]


def test_every_expression_is_a_constant() -> None:
    computed = [where for where, source in EXPRESSIONS if not text_of(where, source)]
    assert computed == []
    assert len(EXPRESSIONS) > 10  # the search finds them


def test_no_compiled_expression_of_the_product_is_missing_among_them() -> None:
    listed = {text_of(where, source) for where, source in EXPRESSIONS}
    held = {
        (module.__name__, pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern)
        for module in modules()
        for value in vars(module).values()
        for pattern in compiled_in(value)
    }
    assert {(module, source) for module, source in held if source not in listed} == set()
    assert len(held) > 20  # the search finds them


def test_expressions_are_used_as_those_of_re_alone_and_none_is_put_together_in_the_browser() -> None:
    trees = [ast.parse(path.read_text()) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert [name for tree in trees for name in imported_engines(tree)] == []
    assert [path.name for path in BROWSER if "RegExp(" in path.read_text()] == []
    assert len(in_browsers()) >= 3  # the search finds them


@pytest.mark.parametrize(("source", "whole"), literals())
def test_every_repetition_has_a_bound(source: str, whole: bool) -> None:
    assert list(unbounded(importlib.import_module("re._parser").parse(source))) == []


@pytest.mark.parametrize(("source", "whole"), literals())
def test_work_grows_as_the_input_does(source: str, whole: bool) -> None:
    pattern = re.compile(source)
    for pump in pumps(source):
        for end in ENDS:
            ratio = growth(pattern, pump, end, whole=whole)
            if ratio > QUADRATIC_FROM:  # once more: a collection of garbage may have fallen into it
                ratio = min(growth(pattern, pump, end, whole=whole) for _ in range(FEW))
            assert ratio < QUADRATIC_FROM, (pump, end)
