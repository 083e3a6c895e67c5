"""Reads the strings that stand below the fields of a class: what documents say of each field."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import is_typeddict

import msgspec


@dataclass(frozen=True, slots=True)
class WrittenClass:
    """What the source of a class says."""

    bases: tuple[str, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    """Field or member → the string that stands below it, as one line."""


def described_members(kind: type) -> dict[str, str]:
    """
    Field or member of a class → the string that stands below it in the source, as one line.

    Args:
        kind: A class that stands in a file; of one that was made by a call nothing is found.
    """
    return dict(_read_class(kind).members)


def base_records(kind: type) -> list[type]:
    """The structs and TypedDicts that a class is made of; a TypedDict itself forgets its bases (until Python 3.12)."""
    named = [getattr(sys.modules[kind.__module__], name, None) for name in _read_class(kind).bases]
    return [
        each for each in named if isinstance(each, type) and (is_typeddict(each) or (issubclass(each, msgspec.Struct)))
    ]


def _read_class(kind: type) -> WrittenClass:
    return _read_module(kind.__module__).get(kind.__qualname__, WrittenClass())


@cache
def _read_module(name: str) -> Mapping[str, WrittenClass]:
    """Qualified name → class. A file is parsed once for all of its classes; the tree itself is not kept."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (KeyError, OSError, TypeError):
        return {}
    return {name: _class_as_written(node) for name, node in _classes(tree, "")}


def _classes(tree: ast.AST, within: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name):
                yield f"{within}{name}", node
                yield from _classes(node, f"{within}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield from _classes(node, f"{within}{name}.<locals>.")
            case ast.If() | ast.Try():
                yield from _classes(node, within)


def _class_as_written(node: ast.ClassDef) -> WrittenClass:
    found, name = dict[str, str](), ""
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(text.split())
    return WrittenClass(tuple(base.id for base in node.bases if isinstance(base, ast.Name)), found)
