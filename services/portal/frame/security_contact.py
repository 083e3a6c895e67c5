"""Whom to tell of a weakness: `/.well-known/security.txt`, as RFC 9116 has it."""

from __future__ import annotations

from flask import Blueprint, Response

from services.portal.deps import Deps
from shared.domain.instants import DAY_MS, to_rfc3339

PATH = "/.well-known/security.txt"
VALID_DAYS = 90
"""RFC 9116 recommends less than a year. The contact is a setting, so it is as fresh as the process that serves it."""


def blueprint(deps: Deps) -> Blueprint:
    """The one route."""
    bp = Blueprint("security-contact", __name__)

    @bp.get(PATH)
    def security_txt() -> Response:
        text = described(deps.settings.security_contact, deps.settings.public_url, deps.clock.now_ms())
        return Response(text, content_type="text/plain; charset=utf-8")

    return bp


def described(contact: str, public_url: str, now_ms: int) -> str:
    """
    Write the file: contact, expiry, language and, if the public address is known, where it stands. Pure.

    Args:
        contact: A URI, `mailto:` or `https:`.
        public_url: Of the portal, without a trailing slash; "" when it is not set.
        now_ms: Instant in milliseconds.
    """
    lines = [f"Contact: {contact}", f"Expires: {expires(now_ms)}", "Preferred-Languages: en"]
    if public_url.startswith("https://"):
        lines.append(f"Canonical: {public_url}{PATH}")
    return "\n".join(lines) + "\n"


def expires(now_ms: int) -> str:
    """The instant until which the file counts, at the beginning of a day: it stays the same for a day. Pure."""
    return to_rfc3339((now_ms // DAY_MS + VALID_DAYS) * DAY_MS)
