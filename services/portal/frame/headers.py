"""What every answer says to a browser about itself: no script or style but ours, no frame, no cache."""

from __future__ import annotations

from flask import Flask, Response, request

from services.portal.deps import deps
from services.portal.frame.assets import ENDPOINT, WORKER_ENDPOINT, is_kept_for_good

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_STATIC_S = 86_400
_STRICT_S = 31_536_000


def is_encrypted() -> bool:
    """Whether people reach this service over TLS alone: only then may a browser be told to use nothing else."""
    return deps().settings.public_url.startswith("https://")


def register(app: Flask) -> None:
    """Set them on every answer of `app`."""

    @app.after_request
    def set_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if is_encrypted():
            response.headers["Strict-Transport-Security"] = f"max-age={_STRICT_S}"
        response.headers["Cache-Control"] = _cache_control(response)
        return response


def _cache_control(response: Response) -> str:
    """How long a browser may keep an answer: a static file for good under the address that names its content."""
    if request.endpoint not in (ENDPOINT, WORKER_ENDPOINT) or response.status_code >= 400:  # noqa: PLR2004  # not found
        return "no-store"
    return f"public, max-age={_STATIC_S}, immutable" if is_kept_for_good() else "no-cache"
