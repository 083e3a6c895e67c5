"""Writes down each request of a calendar API as it comes in at the socket, for whoever holds it against published metadata."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FOLDER = "SIMULATOR_RECORDS"
"""The environment variable that names the folder to write to; without it nothing is written."""
_RECORDED = ("/microsoft/graph/", "/google/calendar/", "/google/admin/")
_HEADERS = {
    "HTTP_PREFER": "Prefer",
    "HTTP_IF_MATCH": "If-Match",
    "HTTP_X_HTTP_METHOD_OVERRIDE": "X-HTTP-Method-Override",
    "CONTENT_TYPE": "Content-Type",
}
_LONGEST_BODY = 262_144
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def record_requests(app: Wsgi, folder: str) -> Wsgi:
    """
    Wrap a WSGI app so that its calendar requests are written to a file of this process, a JSON object a line.

    Args:
        app: What serves them; it sees each request unchanged.
        folder: Where the file is made. No token or secret is written: sign-in is left out, and so is `Authorization`.
    """
    path, lock = Path(folder) / f"requests-{os.getpid()}.jsonl", threading.Lock()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(_RECORDED):
            return app(environ, start_response)
        line = _read(environ)

        def start(status: str, *more: Any) -> Any:
            whole = json.dumps({**line, "status": int(status.partition(" ")[0])})
            with lock, path.open("a") as file:
                file.write(whole + "\n")
            return start_response(status, *more)

        return app(environ, start)

    return serve


def _read(environ: dict[str, Any]) -> dict[str, Any]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
        "query": environ.get("QUERY_STRING", ""),
        "headers": {name: environ[key] for key, name in _HEADERS.items() if environ.get(key)},
        "body": body[:_LONGEST_BODY].decode(errors="replace"),
    }
