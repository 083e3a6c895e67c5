"""Makes JSON Schemas out of the types of the code, and examples out of the schemas. Pure."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, is_typeddict

import msgspec

from shared.contracts.described import base_records, described_members

Schema = dict[str, Any]
REF = "#/components/schemas/"


class Schemas:
    """The schemas of some types, with what they refer to; the same type is described once."""

    def __init__(self, types: Sequence[Any]) -> None:
        """
        Make the schemas.

        Args:
            types: TypedDicts, structs, and whatever else msgspec reads.
        """
        made, components = msgspec.json.schema_components(types, ref_template=f"{REF}{{name}}")
        self._made = list(zip(types, [_portable(each) for each in made], strict=True))
        kinds = _kinds(types)
        self.components: dict[str, Schema] = {
            name: _described(_portable(schema), kinds.get(name)) for name, schema in sorted(components.items())
        }
        """Name of a type → its schema."""

    def of(self, wanted: Any) -> Schema:
        """The schema of one of the types. Raises KeyError for another one."""
        for known, schema in self._made:
            if known is wanted:
                return dict(schema)
        raise KeyError(wanted)

    def resolve(self, schema: Schema) -> Schema:
        """Follow a reference to a component."""
        return self.components[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema

    def example(self, schema: Schema) -> Any:
        """Make a value that fits, out of the examples of its parts."""
        found = self.resolve(schema)
        if found.get("examples"):
            return found["examples"][0]
        if "const" in found or "enum" in found:
            return found.get("const", next(iter(found.get("enum", ())), None))
        if "anyOf" in found:
            return self.example(found["anyOf"][0])
        return self._example_of_kind(found)

    def _example_of_kind(self, schema: Schema) -> Any:
        match schema.get("type"):
            case "object":
                return {name: self.example(part) for name, part in schema.get("properties", {}).items()}
            case "array":
                return [self.example(schema["items"])] if schema.get("items") else []
            case "boolean":
                return schema.get("default", False)
            case "integer" | "number":
                return schema.get("default", schema.get("minimum", 1))
            case "null":
                return None
        return schema.get("default") or "text"


def _portable(schema: Any) -> Any:
    """The schema with the end of a pattern as every language writes it: Python alone has another sign for it."""
    if isinstance(schema, list):
        return [_portable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: part.replace("\\Z", "$") if name == "pattern" and isinstance(part, str) else _portable(part)
        for name, part in schema.items()
    }


def _kinds(types: Sequence[Any]) -> Mapping[str, type]:
    """Name → class of each struct and TypedDict that stands in these types, at whatever depth."""
    found: dict[str, type] = {}
    waiting = list(types)
    while waiting:
        each = waiting.pop()
        waiting += typing.get_args(each)
        if _is_record(each) and each not in found.values():
            found[each.__name__] = each
            waiting += typing.get_type_hints(each).values()
    return found


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (is_typeddict(kind) or issubclass(kind, msgspec.Struct))


def _described(schema: Schema, kind: type | None) -> Schema:
    if kind is None:
        return schema
    said = _words(kind)
    properties = {
        name: {**part, "description": said[name]} if name in said else part
        for name, part in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties}


def _words(kind: type) -> dict[str, str]:
    """Field, as it is sent, → what its string says; of the classes above it as well."""
    fields = msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else ()
    sent = {field.name: field.encode_name for field in fields}
    found: dict[str, str] = {}
    for each in base_records(kind):
        found |= _words(each)
    return found | {sent.get(name, name): text for name, text in described_members(kind).items()}
