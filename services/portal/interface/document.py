"""The document itself (OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0), out of the routes of an application. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal, TypedDict

from werkzeug.routing import Rule

from services.portal.interface.described_routes import OF_SERVER, DescribedRoute, read_routes, template_of
from services.portal.interface.fields import PATH_FIELDS, Reference
from services.portal.interface.operation import Access, Audience, Operation
from services.portal.interface.preamble import DESCRIPTION, SECURITY, VERSION
from services.portal.interface.schemas import Schema, Schemas
from shared.domain.roles import MATRIX, Right, Role

RESPONSES = "#/components/responses/"
_PLAIN = "text/plain"
PROBLEM = "application/problem+json"
_FOR_SERVICES = "Back-end services of the organisation may call it as well, with their token."
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
_WAITING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Problem(TypedDict):
    """What went wrong, and what to do (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    """One sentence for a person."""
    status: int
    """The status of the answer, again."""
    code: str
    """For programs; never changes once published."""
    next: str
    """What that person, or whoever they ask, does now."""
    instance: Reference
    """The path that was asked for."""


def describe_interface(rules: Iterable[Rule], views: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    """
    Describe every route below `/v1`.

    Args:
        rules: Those of the application.
        views: Its views, by endpoint.

    Raises:
        UndescribedRouteError: a route has no description.
        KeyError: a code of a problem stands in no table of `problem_codes`.
    """
    routes = list(read_routes(rules, views))
    schemas = Schemas(list(_types(routes)))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(template_of(route.rule), {})[route.method.lower()] = _describe(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "roomsync", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/", "description": "The address of your deployment."}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": dict(sorted(_problems(routes))),
            "securitySchemes": SECURITY,
        },
    }


def _types(routes: Iterable[DescribedRoute]) -> Iterable[Any]:
    yield from (Problem, *PATH_FIELDS.values())
    for route in routes:
        said = route.operation
        yield from (each for each in (said.body, said.query, said.headers) if each is not None)
        yield from (kind for _, kind in said.events)
        if said.answer is not type(None):
            yield said.answer


def _describe(route: DescribedRoute, schemas: Schemas) -> dict[str, Any]:
    said = route.operation
    found: dict[str, Any] = {
        "operationId": route.operation_id,
        "tags": [route.tag],
        "summary": said.summary,
        "description": " ".join(
            filter(None, [said.description, _who(said.access), _FOR_SERVICES if said.tokens else ""])
        ),
        "security": _security(route),
        "parameters": [*_path_parameters(route, schemas), *_parameters(said, schemas)],
        "responses": _responses(route, schemas),
    }
    if said.body is not None:
        schema = schemas.of(said.body)
        content = {"schema": schema, "example": schemas.example(schema)}
        found["requestBody"] = {"required": True, "content": {"application/json": content}}
    return found


def _responses(route: DescribedRoute, schemas: Schemas) -> dict[str, Any]:
    said = route.operation
    found: dict[str, Any] = {str(said.status.value): _hoped_for(said, schemas)}
    for status, codes in route.problems.items():
        found[str(status.value)] = {"$ref": f"{RESPONSES}{_problem_name(status, codes)}"}
    return dict(sorted(found.items()))


def _hoped_for(said: Operation, schemas: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {"description": said.status.phrase}
    if said.answer is type(None):
        return found
    schema = schemas.of(said.answer)
    content: dict[str, Any] = {"schema": schema}
    if not said.events:
        content["example"] = schemas.example(schema)
    else:
        content["x-events"] = {name: schemas.of(kind) for name, kind in said.events}
    return {**found, "content": {said.media_type: content}}


def _problems(routes: Iterable[DescribedRoute]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Name and description of each set of problems; most routes share theirs with others."""
    for route in routes:
        for status, codes in route.problems.items():
            yield _problem_name(status, codes), _problem(status, codes)


def _problem_name(status: HTTPStatus, codes: Iterable[str]) -> str:
    return ".".join([str(status.value), *codes])


def _problem(status: HTTPStatus, codes: list[str]) -> dict[str, Any]:
    content: dict[str, Any] = (
        {_PLAIN: {"schema": {"type": "string"}, "example": "Send less."}} if status in OF_SERVER else {}
    )
    facts = {"properties": {"status": {"const": status.value}, "code": {"enum": codes}}}
    example = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": next(iter(codes), ""),
        "next": "What to do now.",
        "instance": "/v1/…",
    }
    if codes:
        schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, facts]}
        content[PROBLEM] = {"schema": schema, "example": example}
    words = ", ".join([*(f"`{code}`" for code in codes), *(["or the server's own word"] if _PLAIN in content else [])])
    found: dict[str, Any] = {"description": f"{status.phrase}: {words}", "content": content}
    if status in _WAITING:
        found["headers"] = {"Retry-After": _RETRY_AFTER}
    return found


def _parameters(said: Operation, schemas: Schemas) -> Iterable[dict[str, Any]]:
    for place, kind in (("query", said.query), ("header", said.headers)):
        if kind is None:
            continue
        shape = schemas.resolve(schemas.of(kind))
        for name, schema in shape["properties"].items():
            required = name in shape.get("required", ())
            yield _parameter(name, place, schema, required=required)


def _path_parameters(route: DescribedRoute, schemas: Schemas) -> Iterable[dict[str, Any]]:
    for name, words in route.path_parts():
        known = schemas.of(PATH_FIELDS[name]) if name in PATH_FIELDS else {"type": "string"}
        yield _parameter(name, "path", {"enum": words} if words else known, required=True)


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    inner = {key: value for key, value in schema.items() if key != "description"}
    found: dict[str, Any] = {"name": name, "in": place, "required": required, "schema": inner}
    if "description" in schema:
        found["description"] = schema["description"]
    return found


def _security(route: DescribedRoute) -> list[dict[str, list[str]]]:
    match route.operation.access:
        case Audience.ANYBODY:
            return []
        case Audience.SERVICE:
            return [{"serviceToken": []}]
    person: dict[str, list[str]] = {"session": [], **({"csrf": []} if route.changes else {})}
    service: dict[str, list[str]] = {"serviceToken": []}
    return [person, service] if route.operation.tokens else [person]


def _who(access: Access) -> str:
    match access:
        case Audience.ANYBODY:
            return "Anybody may ask."
        case Audience.SERVICE:
            return "For back-end services with a token."
        case Audience.MEMBER | Right.OWN_CALENDAR:
            return "For whoever is signed in."
    held = [role.value for role in Role if role in MATRIX[Right(access)]]
    return f"Needs the right `{access.value}`, which these roles have: {', '.join(held)}."
