"""What the installed msgraph-sdk, which is generated from Graph's metadata, says of paths, parameters, bodies and enumerations."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

_VERBS = {"get", "post", "patch", "put", "delete"}
_WORD = re.compile(r"[?&]([\w%]+)=|\{[?&]([^}]+)\}")


@dataclass(frozen=True, slots=True)
class GraphModel:
    """Where the class of a body or an answer is generated."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class GraphProperty:
    """One property of a model."""

    reader: str
    """The SDK's method that reads it: `get_str_value`, `get_collection_of_object_values`, …"""
    model: GraphModel | None
    """Of objects and enumerations."""
    primitive: str = ""
    """Of collections of simple values."""


@dataclass(frozen=True, slots=True)
class GraphOperation:
    """One method of a path."""

    parameters: frozenset[str]
    body: GraphModel | None
    answer: GraphModel | None


def generated() -> Path:
    """The folder of generated code."""
    spec = find_spec("msgraph")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "generated"


def folder_of(segments: list[str]) -> Path | None:
    """The folder of a path's builder; None for a path that Graph does not publish."""
    here = generated()
    for segment in segments:
        child = _child(here, segment)
        if child is None:
            return None
        here = child
    return here


@cache
def operations(folder: Path) -> dict[str, GraphOperation]:
    """Verb → what the builder in a folder knows of it."""
    (file,) = folder.glob("*_request_builder.py")
    tree = ast.parse(file.read_text())
    imported = _imports(tree, file)
    builder = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    usual = next(text for text in _texts(builder) if text.startswith("{+baseurl}"))
    found = {}
    for node in builder.body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name in _VERBS:
            found[node.name.upper()] = GraphOperation(
                parameters=_parameters(_template(builder, node.name) or usual),
                body=_body(node, imported),
                answer=_named(node.returns, imported),
            )
    return found


@cache
def properties(model: GraphModel) -> dict[str, GraphProperty]:
    """Name on the wire → property, inherited ones too."""
    tree = ast.parse(model.path.read_text())
    imported = _imports(tree, model.path)
    cls = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model.name)
    found: dict[str, GraphProperty] = {}
    for base in cls.bases:
        if isinstance(base, ast.Name) and base.id in imported:
            found |= properties(imported[base.id])
    for node in ast.walk(cls):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Lambda):
                    found[str(key.value)] = _property(value, {**imported, model.name: model})
    return found


@cache
def members(model: GraphModel) -> frozenset[str]:
    """The values of an enumeration on the wire."""
    tree = ast.parse(model.path.read_text())
    return frozenset(
        str(node.value)
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign)
        for node in ast.walk(each.value)
        if isinstance(node, ast.Constant)
    )


def _child(folder: Path, segment: str) -> Path | None:
    plain = re.sub(r"^(microsoft\.)?graph\.", "graph", segment.removesuffix("()")).lower().replace("_", "")
    if folder == generated() and plain == "me":
        return folder / "users" / "item"
    named = {
        each.name.replace("_", ""): each for each in folder.iterdir() if each.is_dir() and each.name != "__pycache__"
    }
    return named.get(plain) or named.get("item")


def _texts(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _template(builder: ast.ClassDef, verb: str) -> str:
    maker = next(one for one in builder.body if getattr(one, "name", "") == f"to_{verb}_request_information")
    return next((text for text in _texts(maker) if text.startswith("{+baseurl}")), "")


def _parameters(template: str) -> frozenset[str]:
    found: set[str] = set()
    for one, several in _WORD.findall(template):
        found |= {unquote(name.strip("*")) for name in ([one] if one else several.split(","))}
    return frozenset(found)


def _imports(tree: ast.Module, file: Path) -> dict[str, GraphModel]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            path = file.parents[node.level - 1].joinpath(*node.module.split(".")).with_suffix(".py")
            found |= {alias.asname or alias.name: GraphModel(path, alias.name) for alias in node.names}
    return found


def _body(node: ast.AsyncFunctionDef, imported: dict[str, GraphModel]) -> GraphModel | None:
    body = next((each for each in node.args.args if each.arg == "body"), None)
    return _named(body.annotation, imported) if body else None


def _named(annotation: ast.expr | None, imported: dict[str, GraphModel]) -> GraphModel | None:
    names = [node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)] if annotation else []
    return next((imported[name] for name in names if name in imported), None)


def _property(value: ast.Lambda, imported: dict[str, GraphModel]) -> GraphProperty:
    (call,) = [
        node
        for node in ast.walk(value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("get_")
    ]
    assert isinstance(call.func, ast.Attribute)
    argument = call.args[0].id if call.args and isinstance(call.args[0], ast.Name) else ""
    return GraphProperty(call.func.attr, imported.get(argument), argument)
