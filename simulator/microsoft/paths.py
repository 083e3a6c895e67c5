"""Spellings of paths that clients really send: a doubled slash after the version, `delta()` with parentheses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def accept_spellings(app: Wsgi, base: str) -> Wsgi:
    """Wrap a WSGI app so that such paths under `base` reach the plain ones; everything else passes untouched."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(base):
            rest = path[len(base) :]
            while rest.startswith("//"):
                rest = rest[1:]
            environ["PATH_INFO"] = base + rest.removesuffix("()")
        return app(environ, start_response)

    return serve
