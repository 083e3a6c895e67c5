"""Google's discovery documents as JSON schemas: types and formats, and nothing that the document does not know."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema

_FORMATS = jsonschema.FormatChecker()
_INTEGERS = {"int32", "uint32", "int64", "uint64"}


@cache
def document(name: str) -> dict[str, Any]:
    """A discovery document as the official client ships it, `calendar.v3` for instance."""
    text = (files("googleapiclient.discovery_cache") / "documents" / f"{name}.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found


def check(document_name: str, schema: str, answer: Any) -> None:
    """Raises jsonschema.ValidationError unless `answer` is what the document calls `schema`."""
    validator(document_name, schema).validate(answer)


def check_error(answer: Any) -> None:
    """The shape of every Calendar error; newer ones add `status` and `details`."""
    jsonschema.Draft202012Validator(_ERROR).validate(answer)


@cache
def validator(document_name: str, schema: str) -> jsonschema.Draft202012Validator:
    """Checks what the document calls `schema`."""
    definitions = {name: translated(one) for name, one in document(document_name)["schemas"].items()}
    return _validator(schema, definitions)


@cache
def nullable(document_name: str, schema: str) -> jsonschema.Draft202012Validator:
    """Checks a patch of what the document calls `schema`: a null takes a property away."""
    definitions = {name: _with_nulls(translated(one)) for name, one in document(document_name)["schemas"].items()}
    return _validator(schema, definitions)


def _validator(schema: str, definitions: dict[str, Any]) -> jsonschema.Draft202012Validator:
    root = {"$ref": f"#/$defs/{schema}", "$defs": definitions}
    jsonschema.Draft202012Validator.check_schema(root)
    return jsonschema.Draft202012Validator(root, format_checker=_FORMATS)


def _with_nulls(node: dict[str, Any]) -> dict[str, Any]:
    found = dict(node)
    if "properties" in node:
        found["properties"] = {name: _or_null(one) for name, one in node["properties"].items()}
    if isinstance(node.get("additionalProperties"), dict):
        found["additionalProperties"] = _or_null(node["additionalProperties"])
    return found


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, _with_nulls(node)]}


def translated(node: dict[str, Any]) -> dict[str, Any]:
    """One discovery schema as a JSON schema: 64-bit integers are strings, unknown properties are faults."""
    if "$ref" in node:
        return {"$ref": f"#/$defs/{node['$ref']}"}
    kind = node.get("type", "any")
    if kind == "object":
        return _object(node)
    if kind == "array":
        return {"type": "array", "items": translated(node["items"])}
    found: dict[str, Any] = {} if kind == "any" else {"type": kind}
    if node.get("format"):
        found["format"] = node["format"]
    if "enum" in node:
        found["enum"] = node["enum"]
    return found


def _object(node: dict[str, Any]) -> dict[str, Any]:
    properties = {name: translated(one) for name, one in node.get("properties", {}).items()}
    extra = node.get("additionalProperties")
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": translated(extra) if isinstance(extra, dict) else False,
    }


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@_FORMATS.checks("int64")
@_FORMATS.checks("uint64")
def _is_long(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"-?\d+", value) is not None


_ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["errors", "code", "message"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
                "details": {"type": "array"},
                "errors": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["domain", "reason", "message"],
                        "additionalProperties": False,
                        "properties": {
                            name: {"type": "string"}
                            for name in ("domain", "reason", "message", "locationType", "location")
                        },
                    },
                },
            },
        }
    },
}
