"""`/livez`, `/readyz`, `/version` and `/metrics`: the same four answers on every service."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Flask, Response, jsonify

from shared.runtime import metrics
from shared.runtime.redaction import mask_text
from shared.runtime.version import product_version

Check = Callable[[], object]
"""Well when it returns anything but False; wrong when it returns False or raises (the message is shown, redacted)."""

_WELL = 200
_WRONG = 503


def health_blueprint(name: str, checks: Mapping[str, Check], *, alive: Mapping[str, Check] | None = None) -> Blueprint:
    """
    The four routes, to be registered on a service's app.

    Args:
        name: The service, as `ready` and `/version` name it.
        checks: What must hold for traffic to be sent here (`/readyz`). Called at every request: a second at most.
        alive: What must hold for the process not to be restarted (`/livez`): "the loop polled lately".
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/livez")
    def livez() -> tuple[Response, int]:
        return _verdict(alive or {})

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        return _verdict(checks)

    @blueprint.get("/version")
    def version() -> Response:
        return jsonify({"service": name, "version": product_version()})

    @blueprint.get("/metrics")
    def exposition() -> Response:
        return Response(metrics.render(), content_type=metrics.CONTENT_TYPE)

    return blueprint


def health_app(name: str, checks: Mapping[str, Check], *, alive: Mapping[str, Check] | None = None) -> Flask:
    """An app of nothing but health, for services that speak no HTTP of their own."""
    app = Flask(name, static_folder=None)
    app.register_blueprint(health_blueprint(name, checks, alive=alive))
    return app


def findings(checks: Mapping[str, Check]) -> dict[str, str]:
    """Check name → `ok`, or what is wrong in one redacted line."""
    return {name: _finding(check) for name, check in checks.items()}


def _finding(check: Check) -> str:
    try:
        return "wrong" if check() is False else "ok"
    except Exception as error:  # noqa: BLE001  # a check that fails in an unforeseen way has failed
        lines = str(error).splitlines() or [""]
        return mask_text(f"{type(error).__name__}: {lines[0]}")


def _verdict(checks: Mapping[str, Check]) -> tuple[Response, int]:
    found = findings(checks)
    well = all(finding == "ok" for finding in found.values())
    return jsonify({"ok": well, "checks": found}), _WELL if well else _WRONG
