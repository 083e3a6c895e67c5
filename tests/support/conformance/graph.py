"""Requests held against Graph's metadata, as the installed SDK was generated from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tests.support.conformance.graph_source import (
    GraphModel,
    GraphOperation,
    GraphProperty,
    folder_of,
    members,
    operations,
    properties,
)
from tests.support.conformance.recorded import Recorded

ROOT = "/microsoft/graph/v1.0"
_OF_LINKS = {"$skiptoken", "$deltatoken"}
"""Parameters of links that Graph gives: clients follow them as they are, and no metadata names them."""
_PREFER = re.compile(r'(IdType|outlook\.timezone|outlook\.body-content-type|odata\.maxpagesize)\s*=\s*("[^"]*"|\S+)')
_ID_TYPES = {'"ImmutableId"', '"Default"'}
_PRIMITIVES: Mapping[str, type | tuple[type, ...]] = {
    "get_str_value": str,
    "get_bool_value": bool,
    "get_int_value": int,
    "get_float_value": (int, float),
    "get_datetime_value": str,
    "get_date_value": str,
    "get_time_value": str,
    "get_timedelta_value": str,
    "get_uuid_value": str,
    "get_bytes_value": str,
    "str": str,
    "int": int,
}


def faults_of(record: Recorded) -> Iterator[str]:
    """What of a request the metadata does not know."""
    segments = [each for each in record.path.removeprefix(ROOT).split("/") if each]
    folder = folder_of(segments)
    known = operations(folder) if folder is not None and list(folder.glob("*_request_builder.py")) else {}
    operation = known.get(record.method)
    if operation is None:
        yield f"{record.method} /{'/'.join(segments)} is not published"
        return
    yield from _parameter_faults(operation, record)
    yield from _header_faults(record)
    yield from _body_faults(operation, record)


def _parameter_faults(operation: GraphOperation, record: Recorded) -> Iterator[str]:
    for name, value in record.parameters:
        if name in _OF_LINKS:
            continue
        if name not in operation.parameters:
            yield f"parameter {name} is unknown"
        elif name in {"$top", "$skip"} and not value.isdigit():
            yield f"parameter {name} has a value that is none: {value!r}"
        elif name == "$select":
            yield from _unknown_columns(operation, value)
        elif name in {"startDateTime", "endDateTime"} and not _is_instant(value):
            yield f"parameter {name} has a value that is none: {value!r}"


def _unknown_columns(operation: GraphOperation, value: str) -> Iterator[str]:
    names = properties(_item(operation.answer)) if operation.answer else {}
    yield from (f"$select names {name}, which is no property" for name in value.split(",") if name not in names)


def _item(answer: GraphModel) -> GraphModel:
    """What a collection holds, or the model itself."""
    listed = properties(answer).get("value")
    return listed.model if listed and listed.model else answer


def _header_faults(record: Recorded) -> Iterator[str]:
    for part in filter(None, (each.strip() for each in record.headers.get("Prefer", "").split(","))):
        found = _PREFER.fullmatch(part)
        if found is None:
            yield f"Prefer has {part!r}, which is unknown"
        elif found.group(1) == "IdType" and found.group(2) not in _ID_TYPES:
            yield f"IdType is {found.group(2)}"


def _body_faults(operation: GraphOperation, record: Recorded) -> Iterator[str]:
    try:
        body = record.json
    except msgspec.DecodeError as error:
        yield f"the body is no JSON: {error}"
        return
    if operation.body is None:
        if body is not None:
            yield "it has a body where none belongs"
        return
    yield from _object_faults(operation.body, body, "body")


def _object_faults(model: GraphModel, value: object, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    known = properties(model)
    if model.name.endswith(
        "PostRequestBody"
    ):  # parameters of an action: the pages write them in lower case, and so may we
        known = {name[:1].lower() + name[1:]: one for name, one in known.items()} | known
    for name, one in value.items():
        if "@odata." in name:
            continue
        if name not in known:
            yield f"{where}.{name} is no property of {model.name}"
        elif one is not None:
            yield from _value_faults(known[name], one, f"{where}.{name}")


def _value_faults(known: GraphProperty, value: Any, where: str) -> Iterator[str]:
    if known.reader.startswith("get_collection"):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for number, one in enumerate(value):
            yield from _one_fault(known, one, f"{where}[{number}]")
    else:
        yield from _one_fault(known, value, where)


def _one_fault(known: GraphProperty, value: Any, where: str) -> Iterator[str]:
    if "enum" in known.reader and known.model:
        if value not in members(known.model):
            yield f"{where} is {value!r}, which is no {known.model.name}"
    elif "object" in known.reader and known.model:
        yield from _object_faults(known.model, value, where)
    else:
        wanted = _PRIMITIVES[known.primitive or known.reader]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            yield f"{where} is {value!r}, which {known.reader} does not read"
        elif known.reader == "get_datetime_value" and not _is_instant(str(value)):
            yield f"{where} is {value!r}, which is no instant"


def _is_instant(value: str) -> bool:
    try:
        datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.replace(" ", "+")))
    except ValueError:
        return False
    return True
