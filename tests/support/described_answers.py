"""
Holds each answer below `/v1` that a test gets against the document of the interface, as the tests of providers hold theirs.

`DescribedClient` is what an application of the tests gives out as its client: an answer with a status, a code, a content type or a
member that is not described fails the test that asked for it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from services.portal.app import create_app
from services.portal.deps import Deps
from services.portal.interface.described_routes import PREFIX, template_of
from services.portal.interface.document import PROBLEM, describe_interface
from services.portal.interface.operation import EVENT_STREAM

OF_SERVER_ALONE = "text/plain"
"""What the server answers before any application: an application that answers so is wrong."""
ROOT = "urn:roomsync:interface"
Document = dict[str, Any]
_directory = tempfile.TemporaryDirectory(prefix="roomsync-templates-")
_compiled = FileSystemBytecodeCache(_directory.name)
"""Every test makes an application of its own; a template is compiled once for all of them."""


class UndescribedAnswerError(AssertionError):
    """An answer is not as the document says."""


class DescribedClient(FlaskClient):
    """A client of the tests that looks at every answer below `/v1` before the test does."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Ask, and check what was answered."""
        response = super().open(*args, **kwargs)
        request = response.request
        if request.path.startswith(PREFIX):
            check_answer(self.application, request.method, request.path, response)
        return response


def described_portal(deps: Deps) -> Flask:
    """The portal as tests ask it: its client holds every answer against the document."""
    app = create_app(deps)
    app.jinja_env.bytecode_cache = _compiled
    app.test_client_class = DescribedClient
    return app


def check_answer(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """
    Hold an answer against the document of `app`.

    Raises:
        UndescribedAnswerError: it is not as the document says.
    """
    interface = interface_of(app)
    document = interface.document
    template = _template(app, document, method, path)
    if template is None:
        return
    said = document["paths"][template][method.lower()]["responses"]
    described = said.get(str(response.status_code))
    if described is None:
        _refuse(method, template, f"the status {response.status_code}, which its @operation does not name", response)
    described = _resolve(document, described)
    content = described.get("content", {})
    if content.keys() == {OF_SERVER_ALONE}:
        _refuse(method, template, f"{response.status_code}, which the server alone answers", response)
    if not content:
        if response.get_data():
            _refuse(method, template, "a body, where none is described", response)
        return
    media_type, shape = next((kind, each) for kind, each in content.items() if kind != OF_SERVER_ALONE)
    if response.mimetype != media_type:
        _refuse(method, template, f"{response.mimetype}, where {media_type} is described", response)
    if media_type == EVENT_STREAM:
        response.response = _Checked(response.response, interface, shape["x-events"])  # type: ignore[assignment]
        return
    for error in interface.validator(shape["schema"], closed=media_type != PROBLEM).iter_errors(response.json):
        _refuse(method, template, f"{'/'.join(map(str, error.path))}: {error.message}", response)


class _Checked:
    """A stream whose events are looked at as the test reads them."""

    def __init__(self, body: Iterable[Any], interface: DescribedInterface, events: dict[str, Any]) -> None:
        self._body = body
        self._interface = interface
        self._events = events

    def __iter__(self) -> Iterator[Any]:
        for chunk in self._body:
            text = chunk.decode() if isinstance(chunk, bytes) else chunk
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            if "event" in fields:
                if fields["event"] not in self._events:
                    message = f"the stream told {fields['event']!r}, which its @operation does not name"
                    raise UndescribedAnswerError(message)
                schema = self._events[fields["event"]]
                for error in self._interface.validator(schema, closed=True).iter_errors(json.loads(fields["data"])):
                    message = f"the event {fields['event']}: {'/'.join(map(str, error.path))}: {error.message}"
                    raise UndescribedAnswerError(message)
            yield chunk

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class DescribedInterface:
    """A document, and validators of what stands in it, each made once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._registries = {closed: self._registry(closed=closed) for closed in (False, True)}
        self._validators: dict[tuple[int, bool], Draft202012Validator] = {}

    def validator(self, schema: Document, *, closed: bool = False) -> Draft202012Validator:
        """
        Return a validator of a schema, as a reader of the document would make it.

        Args:
            schema: An object that stands in the document.
            closed: Whether members that are not described are refused.
        """
        key = id(schema), closed  # the document keeps it
        if key not in self._validators:
            rooted = json.loads(json.dumps(schema).replace('"#/', f'"{ROOT}#/'))
            self._validators[key] = Draft202012Validator(rooted, registry=self._registries[closed])
        return self._validators[key]

    def _registry(self, *, closed: bool) -> Registry[Any]:
        schemas = self.document["components"]["schemas"]
        if closed:
            schemas = {name: _closed(each) for name, each in schemas.items()}
        whole = {"$id": ROOT, "components": {"schemas": schemas}}
        return Registry().with_resource(ROOT, Resource(whole, specification=DRAFT202012))


def interface_of(app: Flask) -> DescribedInterface:
    """The document of an application of the tests; made once for all that have the same routes."""
    found: DescribedInterface | None = app.extensions.get(ROOT)
    if found is None:
        routes = tuple(sorted(f"{rule.rule} {rule.methods}" for rule in app.url_map.iter_rules()))
        if routes not in _made:
            _made[routes] = DescribedInterface(describe_interface(app.url_map.iter_rules(), app.view_functions))
        found = app.extensions[ROOT] = _made[routes]
    return found


_made: dict[tuple[str, ...], DescribedInterface] = {}


def _template(app: Flask, document: Document, method: str, path: str) -> str | None:
    """The described path that a request was answered by; None for one that no operation answers."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method, return_rule=True)
    except (HTTPException, RequestRedirect):
        return None
    template = template_of(rule.rule)
    return template if method.lower() in document["paths"][template] else None


def _resolve(document: Document, described: Document) -> Document:
    if "$ref" not in described:
        return described
    name = described["$ref"].rpartition("/")[2]
    found: Document = document["components"]["responses"][name]
    return found


def _closed(schema: Document) -> Document:
    if schema.get("properties") is None or "additionalProperties" in schema:
        return schema
    return {**schema, "additionalProperties": False}


def closed_document(document: Document) -> Document:
    """The document as whoever writes the answers has to take it: no member but those described."""
    components = document["components"]
    schemas = {name: _closed(each) for name, each in components["schemas"].items()}
    schemas["Problem"] = components["schemas"]["Problem"]  # some say more, for programs
    return {**document, "components": {**components, "schemas": schemas}}


def _refuse(method: str, template: str, what: str, response: TestResponse) -> None:
    message = (
        f"{method} {template} answered {what}; describe it at the route, or mend the answer: {response.text[:500]}"
    )
    raise UndescribedAnswerError(message)
