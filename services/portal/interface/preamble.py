"""What the document says before any route: the rules that hold for all of them, and how callers prove who they are."""

from __future__ import annotations

from typing import Any

VERSION = "1.0.0"
"""Of the interface: the first number changes when a reader could break, the second when something was added."""
DESCRIPTION = """What a person's browser and an organisation's own programs may ask of roomsync.

Additive changes only: readers must ignore members and events that they do not know.

**Errors** are problem documents (RFC 9457) with a `code`, which never changes once published, and `next`, which says what to do. A
request that is refused with 503 or 429 says in `Retry-After` when to come back.

**Changes** carry the session's token in `X-CSRF-Token`: it is the `csrf` of `GET /v1/me`. Where an `Idempotency-Key` is asked for,
send a fresh random one with each wish, and the same one when you repeat it: the same wish under the same key is done once.

**Pages** of the feed are followed by sending `next` of one answer as `after` of the next request, until `more` is false.

**Bodies** are JSON. Numbers may be sent as text, and members that are null or empty count as left out."""
SECURITY: dict[str, Any] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-roomsync_session",
        "description": "Set by signing in (`/auth/login`). On this machine alone, without TLS, its name is `roomsync_session`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "With every change: the `csrf` of `GET /v1/me`.",
    },
    "serviceToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "An organisation's token for its back-end services, as `roomsync tokens make` prints it.",
    },
}
