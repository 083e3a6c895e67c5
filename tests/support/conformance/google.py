"""Requests held against Google's discovery documents, as the official client ships them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import jsonschema
import msgspec

from tests.support.conformance.discovery_schema import document, nullable, validator
from tests.support.conformance.recorded import Recorded

DOCUMENTS = {"/google/calendar/v3/": "calendar.v3", "/google/admin/directory/v1/": "admin.directory_v1"}
"""Where a document's paths begin at the simulator."""
_PREFIX_OF_PATHS = {"calendar.v3": "", "admin.directory_v1": "admin/directory/v1/"}
_BOOLEANS = {"true", "false"}


@dataclass(frozen=True, slots=True)
class GoogleMethod:
    """One method of a document."""

    document: str
    verb: str
    path: re.Pattern[str]
    parameters: Mapping[str, Mapping[str, Any]]
    body: str
    """The schema of its request; "" for none."""


def faults_of(record: Recorded) -> Iterator[str]:
    """What of a request the document does not know."""
    root = next((root for root in DOCUMENTS if record.path.startswith(root)), "")
    if not root:
        yield f"{record.path} belongs to no document"
        return
    name, path = DOCUMENTS[root], record.path.removeprefix(root)
    method = next((one for one in methods(name) if _serves(one, record.meant_method, path)), None)
    if method is None:
        yield f"{record.meant_method} {path} is no method of {name}"
        return
    yield from _parameter_faults(method, record)
    yield from _body_faults(method, record)


@cache
def methods(name: str) -> tuple[GoogleMethod, ...]:
    """Every method of a document."""
    root = document(name)
    return tuple(_methods(name, root, root.get("parameters", {})))


def _methods(name: str, node: Mapping[str, Any], common: Mapping[str, Any]) -> Iterator[GoogleMethod]:
    for one in node.get("methods", {}).values():
        template = str(one.get("flatPath") or one["path"]).removeprefix(_PREFIX_OF_PATHS[name])
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        yield GoogleMethod(
            document=name,
            verb=one["httpMethod"],
            path=re.compile(pattern),
            parameters={**common, **one.get("parameters", {})},
            body=one.get("request", {}).get("$ref", ""),
        )
    for child in node.get("resources", {}).values():
        yield from _methods(name, child, common)


def _serves(method: GoogleMethod, verb: str, path: str) -> bool:
    return method.verb == verb and method.path.fullmatch(quote(path, safe="/@:._~!$&'()*+,;=-")) is not None


def _parameter_faults(method: GoogleMethod, record: Recorded) -> Iterator[str]:
    seen: set[str] = set()
    for name, value in record.parameters:
        known = method.parameters.get(name)
        if known is None or known.get("location") == "path":
            yield f"parameter {name} is unknown"
            continue
        if name in seen and not known.get("repeated"):
            yield f"parameter {name} comes twice"
        seen.add(name)
        if not _is_of(known, value):
            yield f"parameter {name} has a value that is none: {value!r}"
    for name, known in method.parameters.items():
        if known.get("required") and known.get("location") == "query" and name not in seen:
            yield f"parameter {name} is missing"


def _is_of(known: Mapping[str, Any], value: str) -> bool:
    if "enum" in known and value not in known["enum"]:
        return False
    if known.get("type") == "boolean":
        return value in _BOOLEANS
    if known.get("type") == "integer":
        return _is_integer(known, value)
    return known.get("format") != "date-time" or _is_instant(value)


def _is_integer(known: Mapping[str, Any], value: str) -> bool:
    if not re.fullmatch(r"-?\d{1,19}", value):
        return False
    return int(known.get("minimum", value)) <= int(value) <= int(known.get("maximum", value))


def _is_instant(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _body_faults(method: GoogleMethod, record: Recorded) -> Iterator[str]:
    try:
        body = record.json
    except msgspec.DecodeError as error:
        yield f"the body is no JSON: {error}"
        return
    if not method.body:
        if body is not None:
            yield "it has a body where none belongs"
        return
    check = (
        nullable(method.document, method.body) if method.verb == "PATCH" else validator(method.document, method.body)
    )
    for error in check.iter_errors(body if body is not None else {}):
        yield f"body, {_where(error)}: {error.message[:300]}"


def _where(error: jsonschema.ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path) or "top"
