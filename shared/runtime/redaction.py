"""What must not stand in a log: secrets and people, found by the name of a field and by the look of a value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice
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

MAX_CHARS = 16_384
"""Of one text; what follows is left out. Whatever a stranger can have logged, one line costs this much to search at most."""
_MAX_ITEMS = 1_000
_MAX_KEY_CHARS = 200
_MAX_WORD_CHARS = 1_024

# Each repetition has a bound, and no expression can begin in the middle of what it has just looked through in vain: a text
# of twice the length costs twice the time. One expression that began anywhere in a run of letters let a single request of
# 60 kB hold a process for two minutes.
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s{1,16}[A-Za-z0-9._~+/=-]{6,16384}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w-]{4,16384}(?:\.[\w-]{0,16384}){0,2}"), MASK),  # a JWT wherever it stands
    (re.compile(r"\bya29\.[\w.-]{1,16384}|\b1//[\w-]{8,16384}"), MASK),  # Google's access and refresh tokens
    (re.compile(r"\b1\.[\w-]{1,64}\.[\w-]{1,64}\.[\w-]{1,64}\.[\w-]{24}(?![\w-])"), MASK),  # our own client states
    (
        re.compile(
            r"(?i)((?:token|secret|password|client_?state|verifier|assertion)[\"']?"
            r"\s{0,16}(?:=|[\"']\s{0,16}:|:\s{0,16}[\"'])\s{0,16}[\"']?)[^\s\"'&,;})\]]{1,16384}"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)([?&](?:code|state|nonce|login_hint)=)[^\s\"'&#]{1,16384}"), rf"\1{MASK}"),
    # E-mail addresses, and with them the passwords in URLs.
    (
        re.compile(
            r"(?i)(?<![^\s@<>\"'(),;:/=\[\]{}])[^\s@<>\"'(),;:/=\[\]{}]{1,16384}(?:@|%40)[^\s@<>\"'(),;:/=\[\]{}?&]{1,16384}"
        ),
        MASK,
    ),
)


def redact_event(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """A structlog processor: the event with secrets and people masked, and every value made plain JSON."""
    return {str(key): redact(value, str(key)) for key, value in event.items()}


def redact(value: Any, key: str = "", depth: int = 0) -> Any:
    """`value` as it may be logged under `key`: masked whole when the key names a secret or a person, else searched."""
    if value is None or value == "" or isinstance(value, bool):
        return value  # that nothing is set is worth knowing
    if key and is_hidden(key):
        return MASK
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _container(value, depth + 1) if depth < _MAX_DEPTH else "…"
    return value if isinstance(value, int | float) else mask_text(_as_text(value))


def _container(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        named = islice(value.items(), _MAX_ITEMS)
        return {mask_text(str(name)): redact(item, str(name), depth) for name, item in named}
    return [redact(item, "", depth) for item in islice(value, _MAX_ITEMS)]


def _as_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value[: MAX_CHARS + 1]).decode(errors="replace")
    return str(value)


def mask_text(text: str) -> str:
    """`text`, cut to `MAX_CHARS`, with whatever looks like an e-mail address, a bearer token or a secret replaced by ***."""
    text = _shortened(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _shortened(text: str) -> str:
    """The beginning of a long text, up to a whole word where there is one: half a secret does not look like one."""
    if len(text) <= MAX_CHARS:
        return text
    kept = text[:MAX_CHARS]
    whole = kept[:-_MAX_WORD_CHARS] + kept[-_MAX_WORD_CHARS:].rpartition(" ")[0]
    return f"{whole} … ({len(text)} characters)"


def is_hidden(key: str) -> bool:
    """Whether a field of this name (snake, camel or kebab case) is never shown; a name without end is not looked through."""
    if len(key) > _MAX_KEY_CHARS:
        return True
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
