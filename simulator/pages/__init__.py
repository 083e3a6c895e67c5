"""The page at `/`: book, move and cancel, decide for rooms that wait for a person, and watch what really happens."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, send_from_directory

__all__ = ["register"]

_HERE = Path(__file__).parent
_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
_pages = Blueprint("pages", __name__)


def register(app: Flask) -> None:
    """Serve the page and its two files."""
    app.register_blueprint(_pages)


@_pages.get("/")
def index() -> Response:
    """The one page."""
    return _file("index.html")


@_pages.get("/pages/<any('simulator.css', 'simulator.js', 'icon.svg'):name>")
def asset(name: str) -> Response:
    """Its style, script and icon."""
    return _file(name)


def _file(name: str) -> Response:
    answer = send_from_directory(_HERE, name)
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-cache"
    return answer
