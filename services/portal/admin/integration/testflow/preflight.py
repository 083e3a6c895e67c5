"""Whether a provider will have us at all, asked before anybody is sent there: some refusals never come back by themselves."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from shared.runtime.logging import get_logger

if TYPE_CHECKING:
    import httpx

_LONGEST = 64 * 1024
_PLAIN = {"Accept-Encoding": "identity"}
ERRORS = (
    "redirect_uri_mismatch", "invalid_client", "deleted_client", "unauthorized_client", "org_internal", "invalid_scope",
)  # fmt: skip
_NUMBERS = re.compile(r"AADSTS(50011|50194|700016|7000112|70001|70011|900144)\b")
_AUTH_ERROR = re.compile(r"[?&]authError=([A-Za-z0-9_%=+/-]{4,8000})")
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
    import httpx  # noqa: PLC0415 - only a test of the integration needs it

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
    """
    The error in an error page or in the address of one. Pure.

    Google leads to a page of its own, in whose address `authError` is a Base64 message that begins with the error's name (belief
    `google.auth-error`).
    """
    plain = f"{unquote(text)} {_auth_error(text)}"
    number = _NUMBERS.search(plain)
    if number:
        return "invalid_request", number.group(0)
    for name in ERRORS:
        if name in plain:
            return name, ""
    return None


def _auth_error(text: str) -> str:
    found = _AUTH_ERROR.search(text)
    if found is None:
        return ""
    word = unquote(found.group(1)).rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""
