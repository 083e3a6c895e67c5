"""Whether a provider will have us at all, asked before anybody is sent there: some refusals never come back by themselves."""

from __future__ import annotations

import re
from urllib.parse import unquote

import httpx

from shared.runtime.logging import get_logger

_LONGEST = 64 * 1024
_PLAIN = {"Accept-Encoding": "identity"}
ERRORS = (
    "redirect_uri_mismatch", "invalid_client", "deleted_client", "unauthorized_client", "org_internal", "invalid_scope",
)  # fmt: skip
_NUMBERS = re.compile(r"AADSTS(50011|50194|700016|7000112|70001|70011|900144)\b")
_log = get_logger()


def refusal_of(address: str, timeout_s: float) -> tuple[str, str] | None:
    """
    Ask for the page that a person would see, as nobody.

    Args:
        address: Where the browser would be sent; what is put into it is worthless without the browser's cookie.
        timeout_s: For the answer; a slow provider is no refusal.

    Returns:
        The provider's error name and description, if its page or its redirect shows one that we know; None: go ahead.
    """
    try:
        with httpx.stream("GET", address, timeout=timeout_s, follow_redirects=False, headers=_PLAIN) as answer:
            if answer.status_code < 300:  # noqa: PLR2004  # a page to sign in with
                return None
            return read(answer.headers.get("Location", "") + " " + _beginning(answer))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _log.info("preflight_failed", kind=type(error).__name__)
        return None


def _beginning(answer: httpx.Response) -> str:
    """As much of the page as is looked at; the rest is not read."""
    found = b""
    for piece in answer.iter_raw():
        found += piece
        if len(found) >= _LONGEST:
            break
    return found[:_LONGEST].decode(errors="replace")


def read(text: str) -> tuple[str, str] | None:
    """The error in an error page or in the address of one. Pure."""
    plain = unquote(text)
    number = _NUMBERS.search(plain)
    if number:
        return "invalid_request", number.group(0)
    for name in ERRORS:
        if name in plain:
            return name, ""
    return None
