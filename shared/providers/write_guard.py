"""
Keeps requests that change a calendar from leaving a provider client while the deployment only observes.

Each transport asks its guard for every request that it is about to send. What is not known to change nothing is refused: a call
that is added to a client later is refused until somebody has said that it only reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import WritesOffError

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that ask and change nothing (RFC 9110, 9.2.1)."""


@dataclass(frozen=True, slots=True)
class HarmlessRequest:
    """A request that changes no calendar, although its method could."""

    method: str
    path: re.Pattern[str]
    """Of the whole path, below the address of the API."""


@dataclass(frozen=True, slots=True)
class WriteGuard:
    """What a transport may send."""

    base_url: str
    """Below it the paths of `harmless` begin."""
    harmless: Sequence[HarmlessRequest]
    may_write: bool

    def check(self, method: str, url: str) -> None:
        """
        Let a request pass that may be sent.

        Args:
            method: Of the request, in capitals.
            url: Where it goes.

        Raises:
            WritesOffError: it would change a calendar, or might; it must not be sent.
        """
        if self.may_write or method in READING or self._is_harmless(method, url):
            return
        message = "this service only observes (ROOMSYNC_WRITES=off) and changes no calendar; change the meeting in your calendar"
        raise WritesOffError(message)

    def _is_harmless(self, method: str, url: str) -> bool:
        base, asked = urlsplit(self.base_url), urlsplit(url)
        root = base.path.rstrip("/")
        if (base.scheme, base.netloc) != (asked.scheme, asked.netloc) or not asked.path.startswith(f"{root}/"):
            return False
        path = asked.path.removeprefix(root)
        return any(each.method == method and each.path.fullmatch(path) for each in self.harmless)
