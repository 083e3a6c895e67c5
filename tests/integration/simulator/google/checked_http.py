"""httplib2 as the official client uses it, with every answer held against Google's own discovery document."""

from __future__ import annotations

import json
import re
from typing import Any

import httplib2

from tests.support.conformance import discovery_schema

_EVENT = r"/calendars/[^/]+/events/[^/]+"
_SCHEMAS: list[tuple[str, str, str, str]] = [
    ("GET", rf"{_EVENT}/instances", "calendar.v3", "Events"),
    ("POST", r"/calendars/[^/]+/events/watch", "calendar.v3", "Channel"),
    ("GET", r"/calendars/[^/]+/events", "calendar.v3", "Events"),
    ("POST", r"/calendars/[^/]+/events", "calendar.v3", "Event"),
    ("GET", _EVENT, "calendar.v3", "Event"),
    ("PATCH", _EVENT, "calendar.v3", "Event"),
    ("PUT", _EVENT, "calendar.v3", "Event"),
    ("POST", r"/freeBusy", "calendar.v3", "FreeBusyResponse"),
    ("GET", r".*/resources/calendars", "admin.directory_v1", "CalendarResources"),
]


class CheckedHttp(httplib2.Http):
    """Counts what it checked, so that a test can see that something was."""

    def __init__(self) -> None:
        super().__init__(timeout=10)
        self.checked: list[str] = []

    def request(self, uri: str, method: str = "GET", **more: Any) -> Any:
        response, content = super().request(uri, method=method, **more)
        headers = {name.lower(): value for name, value in (more.get("headers") or {}).items()}
        self._check(uri, str(headers.get("x-http-method-override", method)), response.status, content)
        return response, content

    def _check(self, uri: str, method: str, status: int, content: bytes) -> None:
        path = re.sub(r"^.*?/google(/calendar/v3)?", "", uri.split("?", maxsplit=1)[0])
        if path.startswith("/batch"):
            return
        if status >= 400:
            discovery_schema.check_error(json.loads(content))
            self.checked.append(f"{method} error {status}")
        elif status in {204, 304}:
            assert content == b""
        else:
            document, schema = _schema_of(method, path)
            discovery_schema.check(document, schema, json.loads(content))
            self.checked.append(schema)


def _schema_of(method: str, path: str) -> tuple[str, str]:
    for wanted, pattern, document, schema in _SCHEMAS:
        if wanted == method and re.fullmatch(pattern, path):
            return document, schema
    message = f"no schema known for {method} {path}"
    raise AssertionError(message)
