"""What a request may be at most, before anything looks at it: lengths, characters of its address, depth of its JSON."""

from __future__ import annotations

import string
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider

from services.portal.frame.language import translated_answer
from services.portal.frame.problems import ProblemError
from shared.language.deciding.sentences import say

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_PATH_CHARS = 1_024
MAX_QUERY_BYTES = 16 * 1024
"""A provider comes back with a code (Entra's has up to two thousand characters) or with a description of an error."""
MAX_HOST_CHARS = 255 + len(":65535")
MAX_FORM_PARTS = 500
_ODD_HOST = "roomsync.odd_host"
_HOST_CHARS = frozenset(string.ascii_letters + string.digits + ".-:[]")


class BoundedJson(DefaultJSONProvider):
    """Reads JSON without letting its nesting end Python's stack, and writes its sentences in the language of whoever asks."""

    sort_keys = False

    def dumps(self, obj: Any, **options: Any) -> str:
        """As Flask does, with what people read translated."""
        return super().dumps(translated_answer(obj), **options)

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """Raises ValueError for whatever is not JSON, which Flask answers with 400."""
        try:
            return super().loads(s, **options)
        except RecursionError as error:
            message = "this JSON is nested too deeply"
            raise ValueError(message) from error


def register(app: Flask) -> None:
    """Refuse, before routing is acted upon, what no client of ours sends. Register it before everything else."""
    app.json = BoundedJson(app)
    app.wsgi_app = _without_odd_host(app.wsgi_app)  # type: ignore[assignment,method-assign]  # as Flask's documents say
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS

    @app.before_request
    def refuse() -> None:
        fault = fault_of(request.path, request.query_string, odd_host=_ODD_HOST in request.environ)
        if fault is not None:
            raise fault


def fault_of(path: str, query: bytes, *, odd_host: bool) -> ProblemError | None:
    """Why a request with this address is not looked at; None when it is. Its own words are not repeated. Pure."""
    if len(path) > MAX_PATH_CHARS or len(query) > MAX_QUERY_BYTES:
        return ProblemError(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            "address-too-long",
            say("This address is too long."),
            next_step=say(
                "Use a path of at most {max_path_chars} characters, and put what is longer into a body."
            ).format(max_path_chars=MAX_PATH_CHARS),
        )
    if odd_host or not path.isprintable():
        return ProblemError(
            HTTPStatus.BAD_REQUEST,
            "bad-address",
            say("This address has characters in it that no address of ours has."),
            next_step=say("Check the address, or go back to your rooms: /"),
        )
    return None


def _without_odd_host(app: WSGIApplication) -> WSGIApplication:
    """Flask builds no address, so no page either, for a `Host` that it cannot read: it is given another one to refuse."""

    def bounded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not is_host(str(environ.get("HTTP_HOST", ""))):
            environ.update({"HTTP_HOST": "invalid", _ODD_HOST: True})
        return app(environ, start_response)

    return bounded


def is_host(host: str) -> bool:
    """Whether a `Host` header is a name or an address with, perhaps, a port; "" is what HTTP/1.0 may send. Pure."""
    if len(host) > MAX_HOST_CHARS or not _HOST_CHARS.issuperset(host):
        return False
    name, bracket, port = host.partition("]") if host.startswith("[") else host.partition(":")
    if host.startswith("["):
        return bracket == "]" and ":" in name and (port == "" or (port[0] == ":" and port[1:].isdigit()))
    return "[" not in host and "]" not in host and (port.isdigit() if bracket else True)
