"""
The provider of a scenario: a loopback server that gives the file's answers, in order, and keeps what was asked.

Paths are written without host and version, as in `/me/events` or `/calendars/primary/events`. Links inside answers are led
back to this server. What the product asks for its own upkeep (tokens, subscriptions, settings of the mailbox) is answered
here unless the file answers it.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from cli.scenario.script import ProviderName, ScriptedAnswer

GRAPH_ROOT, CALENDAR_ROOT = "/v1.0", "/calendar/v3"
_ROOTS = (GRAPH_ROOT, CALENDAR_ROOT)
_FOREIGN = re.compile(r"https://(?:graph\.microsoft\.com/(?:v1\.0|beta)|www\.googleapis\.com/calendar/v3)", re.ASCII)
_LINKS = ("@odata.nextLink", "@odata.deltaLink")
_MAX_BODY = 1_000_000

Reply = tuple[int, dict[str, str], bytes]


@dataclass(slots=True)
class _Scripted:
    answer: ScriptedAnswer
    left: int
    given: int = 0


@dataclass(slots=True)
class AnswerBook:
    """The answers that may still be given, and everything that was asked. Thread-safe."""

    provider: ProviderName
    now_ms: Callable[[], int]
    base: str = ""
    """The server's own address, without a path."""
    asked: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    _scripted: list[_Scripted] = field(default_factory=list)
    _counter: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, answers: Sequence[ScriptedAnswer]) -> None:
        """Put these answers in place of whatever was left of the step before."""
        with self._lock:
            self._scripted = [_Scripted(answer, answer.times) for answer in answers]

    def unused(self) -> list[str]:
        """The answers of this step that nobody asked for although they are not optional."""
        with self._lock:
            return [each.answer.when for each in self._scripted if not each.given and not each.answer.optional]

    def reply(self, method: str, path: str, body: bytes) -> Reply:
        """What is answered to a request; 599 where nothing matches it."""
        request = f"{method} {_without_root(path)}"
        with self._lock:
            self.asked.append(request)
            self._counter += 1
            for each in self._scripted:
                if each.left > 0 and matches(each.answer.when, request):
                    each.left -= 1
                    each.given += 1
                    return self._encoded(each.answer)
            upkeep = self._upkeep(request, body)
            if upkeep is not None:
                return upkeep
            self.unmatched.append(request)
        return 599, {}, b'{"error": {"code": "scenarioHasNoAnswer", "message": "no answer of this step matches"}}'

    def _encoded(self, answer: ScriptedAnswer) -> Reply:
        headers = {"Content-Type": "application/json", **answer.headers}
        if answer.body is None:
            return answer.status, headers, b""
        if isinstance(answer.body, str):
            return answer.status, headers, answer.body.encode()
        return answer.status, headers, json.dumps(self._led_back(answer.body)).encode()

    def _led_back(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._link(item) if key in _LINKS else self._led_back(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._led_back(item) for item in value]
        return value

    def _link(self, link: Any) -> str:
        text = _FOREIGN.sub("", str(link))
        if not text.startswith("/"):
            text = f"/me/calendarView/delta?$deltatoken={text}"
        return f"{self.base}{GRAPH_ROOT}{text}"

    def _upkeep(self, request: str, body: bytes) -> Reply | None:
        for pattern, make in _UPKEEP[self.provider]:
            if matches(pattern, request):
                status, content = make(self, body)
                return status, {"Content-Type": "application/json"}, json.dumps(content).encode() if content else b""
        return None

    def fresh_id(self) -> str:
        """A name that was not given before in this scenario."""
        return f"scenario-{self._counter}"


def matches(pattern: str, request: str) -> bool:
    """Whether `METHOD /path?query` is what `pattern` says, percent-encoded or not; `*` stands for anything."""
    return any(_fits(pattern.strip().split("*"), text) for text in (request, unquote(request)))


def _fits(parts: list[str], text: str) -> bool:
    """Whether `text` is these parts in this order, with anything between them: each at its first place, the last at the end."""
    if len(parts) == 1:
        return text == parts[0]
    first, *between, last = parts
    if not (text.startswith(first) and text[len(first) :].endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _without_root(path: str) -> str:
    if path.partition("?")[0].endswith("/token"):
        return "/token"
    return next((path[len(root) :] for root in _ROOTS if path.startswith(root + "/")), path)


def _token(_: AnswerBook, __: bytes) -> tuple[int, Any]:
    return 200, {"access_token": "scenario-token", "expires_in": 3600, "token_type": "Bearer"}


def _graph_subscription(book: AnswerBook, body: bytes) -> tuple[int, Any]:
    asked = json.loads(body or b"{}")
    return 201, {"id": book.fresh_id(), "resource": "/me/events", "changeType": "created,updated,deleted", **asked}


def _graph_extension(_: AnswerBook, body: bytes) -> tuple[int, Any]:
    return 200, {"id": "scenario-1", "resource": "/me/events", **json.loads(body or b"{}")}


def _google_channel(book: AnswerBook, body: bytes) -> tuple[int, Any]:
    asked = json.loads(body or b"{}")
    until = asked.get("expiration") or book.now_ms() + 604_800_000
    channel = {"kind": "api#channel", "id": asked.get("id", ""), "resourceId": "scenario-resource"}
    return 200, {**channel, "expiration": str(until)}


def _nothing(_: AnswerBook, __: bytes) -> tuple[int, Any]:
    return 204, None


_Upkeep = tuple[tuple[str, Callable[[AnswerBook, bytes], tuple[int, Any]]], ...]
_UPKEEP: dict[ProviderName, _Upkeep] = {
    ProviderName.MICROSOFT: (
        ("POST /token", _token),
        ("POST /subscriptions", _graph_subscription),
        ("PATCH /subscriptions/*", _graph_extension),
        ("DELETE /subscriptions/*", _nothing),
        ("GET /subscriptions*", lambda _, __: (200, {"value": []})),
        ("GET /me/mailboxSettings*", lambda _, __: (200, {"timeZone": "UTC"})),
    ),
    ProviderName.GOOGLE: (
        ("POST /token", _token),
        ("POST /calendars/*/events/watch*", _google_channel),
        ("POST /channels/stop*", _nothing),
        ("GET /calendars/primary?*", lambda _, __: (200, {"id": "primary", "timeZone": "UTC"})),
        ("GET /calendars/primary", lambda _, __: (200, {"id": "primary", "timeZone": "UTC"})),
        ("GET /users/me/calendarList/primary*", lambda _, __: (200, {"id": "primary", "timeZone": "UTC"})),
    ),
}


class AnswerServer:
    """Serves an `AnswerBook` on a free loopback port until it is closed."""

    def __init__(self, book: AnswerBook) -> None:
        """Listen at once; `base` is where."""
        handler = type("Handler", (_Handler,), {"book": book})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        book.base = self.base
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="answers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    book: AnswerBook
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
        status, headers, body = self.book.reply(self.command, self.path, self.rfile.read(length))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  # the names that the base class calls

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was asked stands in the book."""
