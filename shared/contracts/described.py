"""Reads the strings that stand below the fields of a class: what documents say of each field."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from typing import is_typeddict

import msgspec


def described_members(kind: type) -> dict[str, str]:
    """
    Field or member of a class → the string that stands below it in the source, as one line.

    Args:
        kind: A class that stands in a file; of one that was made by a call nothing is found.
    """
    found, name = dict[str, str](), ""
    for node in _read_class(kind).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(text.split())
    return found


def base_records(kind: type) -> list[type]:
    """The structs and TypedDicts that a class is made of; a TypedDict itself forgets its bases (until Python 3.12)."""
    names = [base.id for base in _read_class(kind).bases if isinstance(base, ast.Name)]
    named = [getattr(sys.modules[kind.__module__], name, None) for name in names]
    return [
        each for each in named if isinstance(each, type) and (is_typeddict(each) or (issubclass(each, msgspec.Struct)))
    ]


def _read_class(kind: type) -> ast.ClassDef:
    try:
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, TypeError):
        body = None
    return body if isinstance(body, ast.ClassDef) else _NOTHING


_NOTHING = ast.ClassDef("", bases=[], keywords=[], body=[], decorator_list=[])
