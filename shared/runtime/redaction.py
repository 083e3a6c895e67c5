"""What must not stand in a log: secrets and people, found by the name of a field and by the look of a value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
_MAX_DEPTH = 8

_SECRET_WORDS = frozenset(
    ("token", "tokens", "secret", "secrets", "authorization", "password", "passwd", "pwd", "cookie", "cookies", "jwt")
)
_GRANT_WORDS = frozenset(("credential", "credentials", "bearer", "refresh", "verifier", "assertion", "nonce"))
_PERSON_WORDS = frozenset(("address", "addresses", "email", "emails", "mail", "upn", "attendees", "subject"))
_CONTENT_WORDS = frozenset(("body", "title", "location", "summary", "description"))
_HIDDEN_WORDS = _SECRET_WORDS | _GRANT_WORDS | _PERSON_WORDS | _CONTENT_WORDS
_HIDDEN_PHRASES = ("client_state", "master_key", "api_key", "private_key", "display_name", "given_name", "family_name")
_NEVER_HIDDEN = frozenset(("url", "ms"))  # an address or an instant about a secret; its text is searched all the same
_HIDDEN_EXACTLY = frozenset({"code", "auth_code", "authorization_code", "login_hint"})

_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w-]{4,}\.[\w-]*(?:\.[\w-]*)?"), MASK),  # a JWT wherever it stands
    (re.compile(r"\bya29\.[\w.-]+|\b1//[\w-]{8,}"), MASK),  # Google's access and refresh tokens
    (re.compile(r"\b1\.[\w-]+\.[\w-]+\.[\w-]+\.[\w-]{24}(?![\w-])"), MASK),  # our own client states
    (
        re.compile(
            r"(?i)([\w-]*(?:token|secret|password|client_?state|verifier|assertion)[\"']?\s*(?:=|[\"']\s*:|:\s*[\"'])\s*[\"']?)"
            r"[^\s\"'&,;})\]]+"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)([?&](?:code|state|login_hint)=)[^\s\"'&#]+"), rf"\1{MASK}"),
    # E-mail addresses, and with them the passwords in URLs.
    (re.compile(r"(?i)[^\s@<>\"'(),;:/=\[\]{}]+(?:@|%40)[^\s@<>\"'(),;:/=\[\]{}?&]+"), MASK),
)


def redact_event(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """A structlog processor: the event with secrets and people masked, and every value made plain JSON."""
    return {str(key): redacted(value, str(key)) for key, value in event.items()}


def redacted(value: Any, key: str = "", depth: int = 0) -> Any:
    """`value` as it may be logged under `key`: masked whole when the key names a secret or a person, else searched."""
    if value is None or value == "" or isinstance(value, bool):
        return value  # that nothing is set is worth knowing
    if key and is_hidden(key):
        return MASK
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _container(value, depth + 1) if depth < _MAX_DEPTH else "…"
    return value if isinstance(value, int | float) else masked(_as_text(value))


def _container(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {masked(str(name)): redacted(item, str(name), depth) for name, item in value.items()}
    return [redacted(item, "", depth) for item in value]


def _as_text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)


def masked(text: str) -> str:
    """`text` with whatever looks like an e-mail address, a bearer token or a secret in a query replaced by ***."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def is_hidden(key: str) -> bool:
    """Whether a field of this name (snake, camel or kebab case) is never shown."""
    words = [word.lower() for word in _WORD_BREAK.split(key) if word]
    name = "_".join(words)
    if words and words[-1] in _NEVER_HIDDEN:
        return False
    return (
        name in _HIDDEN_EXACTLY
        or not _HIDDEN_WORDS.isdisjoint(words)
        or any(phrase in name for phrase in _HIDDEN_PHRASES)
        or "clientstate" in name
    )


def to_json_line(event: Any, **_options: Any) -> str:
    """One line of JSON, non-ASCII characters kept."""
    return json.dumps(event, ensure_ascii=False, default=str)
