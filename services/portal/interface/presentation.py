"""The document as a page shows it: operations by subject, and the types that they refer to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.interface.schemas import REF, Schema

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A field of a type, or a parameter of an operation."""

    name: str
    kind: tuple[tuple[str, str], ...]
    """The words for its type, each with the name of the type that it leads to, or ""."""
    required: bool
    description: str
    place: str = ""
    """Of a parameter: path, query or header."""


@dataclass(frozen=True, slots=True)
class ShownOperation:
    """An operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[ShownPart, ...]
    body: tuple[tuple[str, str], ...]
    status: str
    answer: tuple[tuple[str, str], ...]
    events: tuple[ShownPart, ...]
    problems: tuple[tuple[str, str], ...]
    """Status and codes."""


@dataclass(frozen=True, slots=True)
class ShownType:
    """A type as the page shows it."""

    name: str
    description: str
    parts: tuple[ShownPart, ...]
    words: tuple[str, ...]
    """The values of an enumeration."""


def list_operations(document: Document) -> dict[str, list[ShownOperation]]:
    """Subject → its operations, in the order of the document."""
    found: dict[str, list[ShownOperation]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            found.setdefault(said["tags"][0], []).append(_operation(path, method, said))
    return found


def list_types(document: Document) -> list[ShownType]:
    """Every type that has a name."""
    return [_type(name, schema) for name, schema in document["components"]["schemas"].items()]


def _operation(path: str, method: str, said: Mapping[str, Any]) -> ShownOperation:
    hoped = next(status for status in said["responses"] if status.startswith("2"))
    (content,) = said["responses"][hoped].get("content", {"": {}}).values()
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {})
    events = content.get("x-events", {})
    return ShownOperation(
        id=said["operationId"],
        method=method.upper(),
        path=path,
        summary=said["summary"],
        description=said["description"],
        parameters=tuple(
            ShownPart(each["name"], _words(each["schema"]), each["required"], each.get("description", ""), each["in"])
            for each in said["parameters"]
        ),
        body=_words(body["schema"]) if body else (),
        status=hoped,
        answer=_words(content["schema"]) if content else (),
        events=tuple(
            ShownPart(name, _words(schema), required=False, description="") for name, schema in events.items()
        ),
        problems=tuple(
            (status, ", ".join(answer["$ref"].split(".")[1:]) or "from the server itself, in a line of text")
            for status, answer in said["responses"].items()
            if "$ref" in answer
        ),
    )


def _type(name: str, schema: Schema) -> ShownType:
    required = schema.get("required", ())
    parts = tuple(
        ShownPart(field, _words(part), field in required, part.get("description", ""))
        for field, part in schema.get("properties", {}).items()
    )
    return ShownType(name, schema.get("description", ""), parts, tuple(str(each) for each in schema.get("enum", ())))


def _words(schema: Schema) -> tuple[tuple[str, str], ...]:
    return tuple(_spell(schema))


def _spell(schema: Schema) -> Iterator[tuple[str, str]]:
    """`list of RoomShape`, `text or null`; names of types lead to them."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        yield name, name
    elif "anyOf" in schema:
        for at, each in enumerate(schema["anyOf"]):
            if at:
                yield " or ", ""
            yield from _spell(each)
    elif schema.get("type") == "array":
        yield "list of ", ""
        yield from _spell(schema.get("items") or {})
    elif "const" in schema or "enum" in schema:
        yield " or ".join(f"“{each}”" for each in schema.get("enum", [schema.get("const")])), ""
    else:
        kind = str(schema.get("format") or schema.get("type") or "anything")
        yield ("text" if kind == "string" else kind), ""
