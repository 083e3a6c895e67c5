"""Serves static files below a folder that names the content of all of them, so that browsers keep them for good."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, url_for

ENDPOINT = "static"
WORKER_ENDPOINT = "notices-worker"
WORKER_PATH = "/profile/notices/worker.js"
"""The folder is all that the service worker controls: no page of ours lies in it, so that none is ever answered by the worker."""
_WORKER = "notices/worker.js"
_STATIC = Path(__file__).parents[1] / "static"


def register(app: Flask) -> None:
    """
    Serve the static files of `app` below `/static/v/<version>` too, and have its templates name them there with `asset`.

    The service worker has one address for good, under which browsers look for a newer one (`WORKER_PATH`).

    What a module imports stands below the same folder as itself, so a browser keeps it as long.
    """

    def serve(filename: str, version: str = "") -> Response:  # noqa: ARG001  # `is_kept_for_good` asks for it
        return app.send_static_file(filename)

    app.view_functions[ENDPOINT] = serve
    app.add_url_rule(f"{app.static_url_path}/v/<version>/<path:filename>", ENDPOINT, serve)
    app.add_url_rule(WORKER_PATH, WORKER_ENDPOINT, lambda: serve(_WORKER))
    app.jinja_env.globals["asset"] = lambda name: url_for(ENDPOINT, filename=name, version=static_version())


def is_kept_for_good() -> bool:
    """
    Whether the address that is asked for names what the static files hold now.

    Under the version of another release there is the same file, so that pages work while processes of both answer: a
    browser keeps it for this once.
    """
    return (request.view_args or {}).get("version") == static_version()


@cache
def static_version() -> str:
    """Names the content of all static files; read once a process."""
    content = hashlib.sha256()
    for path in sorted(each for each in _STATIC.rglob("*") if each.is_file()):
        content.update(f"{path.relative_to(_STATIC)}\0{path.stat().st_size}\0".encode())
        content.update(path.read_bytes())
    return content.hexdigest()[:12]
