"""No behaviour depends on the wording of an error: its text goes to people, logs and other errors, and nothing else reads it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "cli")
SHOWN = {"mask_text", "echo", "print", "append", "bury", "_bury", "_park", "_failed", "_unavailable"}
"""Calls that take a text for people: what is printed, lists of what could not be read, dead letters, makers of errors."""
LOGGED = {"debug", "info", "warning", "error", "exception"}
SHOWN_AS = {"reason", "title", "error"}
"""Arguments that are for people, whatever is called."""
LINES = {"splitlines", "strip"}
"""What may be done to a text before it is shown."""
LARGER = (
    ast.BinOp,
    ast.JoinedStr, ast.FormattedValue, ast.Tuple, ast.List, ast.Dict, ast.Starred, ast.BoolOp, ast.Subscript, ast.keyword,
)  # fmt: skip
"""The text as a part of something larger, which is looked at in its turn."""


def readings(source: str) -> list[int]:
    """The lines in which the program itself reads the text of an error."""
    tree = ast.parse(source)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = {text for function in functions for text in texts(function, set(errors_in(function)))}
    kept = {name for text in found for name in names_given_to(text, above, ast.Attribute)}
    found |= {node for node in ast.walk(tree) if is_load(node, ast.Attribute) and ast.unparse(node) in kept}
    for function in functions:
        own = {node for node in ast.walk(function) if node in found}
        named = {name for text in own for name in names_given_to(text, above, ast.Name)}
        found |= {node for node in ast.walk(function) if is_load(node, ast.Name) and ast.unparse(node) in named}
    return sorted({node.lineno for node in found if isinstance(node, ast.expr) and not is_for_people(node, above)})


def errors_in(function: ast.AST) -> Iterator[str]:
    """Names of errors: those of `except … as`, and arguments that are annotated as errors."""
    for node in ast.walk(function):
        if isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        if isinstance(node, ast.arg) and node.annotation:
            kind = ast.unparse(node.annotation)
            if kind.endswith(("Error", "Exception")) and "[" not in kind:
                yield node.arg


def texts(function: ast.AST, errors: Collection[str]) -> Iterator[ast.AST]:
    """Expressions that are the text of an error: `str(error)`, `repr(error)`, `error.args`, `f"{error}"`."""
    for node in ast.walk(function):
        match node:
            case (
                ast.Call(func=ast.Name("str" | "repr"), args=[ast.Name(name)])
                | ast.Attribute(value=ast.Name(name), attr="args")
                | ast.FormattedValue(value=ast.Name(name))
            ) if name in errors:
                yield node


def names_given_to(text: ast.AST, above: dict[ast.AST, ast.AST], kind: type[ast.expr]) -> Iterator[str]:
    """The variables, or attributes, that hold the text, alone or within something larger."""
    node = text
    while node in above and not isinstance(node, ast.stmt):
        node = above[node]
        if isinstance(node, ast.Call) and not is_of_lines(node):
            return
    for target in node.targets if isinstance(node, ast.Assign) else ():
        if isinstance(target, kind):
            yield ast.unparse(target)


def is_load(node: ast.AST, kind: type[ast.expr]) -> bool:
    return isinstance(node, kind) and isinstance(getattr(node, "ctx", None), ast.Load)


def is_of_lines(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in LINES


def is_for_people(text: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    """Whether what stands around the text only hands it on to where people read it."""
    within = above[text]
    match within:
        case ast.Assign() | ast.Return() | ast.Yield() | ast.Raise():
            return True
        case ast.keyword(arg=name) if name in SHOWN_AS:
            return True
        case ast.Compare(ops=operators):
            return all(isinstance(each, ast.Is | ast.IsNot) for each in operators)
        case ast.Call():
            return is_shown(within)
    if isinstance(within, ast.Attribute) and within.attr in LINES:
        return is_for_people(above[within], above)
    chosen = isinstance(within, ast.IfExp) and text is not within.test
    return (chosen or isinstance(within, LARGER)) and is_for_people(within, above)


def is_shown(call: ast.Call) -> bool:
    """Whether the call is made for people: it shows or logs, or makes something with a name of a class, as errors have."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    return name in SHOWN | LOGGED or name[:1].isupper()


def test_the_text_of_an_error_is_for_people_alone() -> None:
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    found = [f"{path.relative_to(ROOT)}:{line}" for path in files for line in readings(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "body",
    [
        'if "gone" in str(error): pass',
        "if str(error): pass",
        "return GONE.search(str(error))",
        'return str(error).startswith("gone")',
        'text = f"x: {error}"\n        return 1 if text == "gone" else 2',
        "match error.args: pass".replace(": pass", ":\n            case _: pass"),
        "self.why = str(error)\n        if self.why: pass",
        "return decide(str(error))",
        "return [each for each in () if str(error)]",
    ],
)
def test_each_way_to_read_it_is_found(body: str) -> None:
    assert readings(f"def act(self):\n    try:\n        pass\n    except ValueError as error:\n        {body}\n")
    assert readings(f"def act(self, error: RoomsyncError):\n    if self:\n        {body}\n")


@pytest.mark.parametrize(
    "body",
    [
        'log.info("x", error=str(error))',
        'raise RefusedError(f"x: {error}") from error',
        'message = f"x: {error}"\n        raise RefusedError(message) from error',
        "click.echo(mask_text(str(error)))",
        'lines = str(error).splitlines() or [""]\n        return mask_text(f"x: {lines[0]}")',
    ],
)
def test_showing_it_is_no_reading(body: str) -> None:
    assert readings(f"def act(self):\n    try:\n        pass\n    except ValueError as error:\n        {body}\n") == []
