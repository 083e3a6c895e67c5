"""Sync and page tokens: opaque, bound to the calendar and to the parameters of the first call, and never guessable."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import OrderedDict
from dataclasses import dataclass

from simulator.google.errors import invalid

_MOST_LISTINGS = 1000
_MAC_BYTES = 9


@dataclass(frozen=True, slots=True)
class SyncToken:
    """A position in a calendar's feed, and what it is bound to."""

    mailbox_id: str
    seq: int
    parameters: str
    issued_ms: int


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One thing to list: an event, or one date (`key`: original start) of a series."""

    event_id: str
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What one list call is about to return over its pages, as it stood when the first page was asked for."""

    mailbox_id: str
    parameters: str
    entries: tuple[ListEntry, ...]
    seq: int
    incremental: bool


class Cursors:
    """Seals tokens and remembers listings that are being paged. Guarded by the world's lock."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"cursors {seed}".encode()).digest()
        self._listings: OrderedDict[int, Listing] = OrderedDict()
        self._made = 0

    def sync_token(self, token: SyncToken) -> str:
        """As sent."""
        return self._seal([token.mailbox_id, token.seq, token.parameters, token.issued_ms])

    def read_sync_token(self, text: str, mailbox_id: str, parameters: str) -> SyncToken:
        """Raises ApiError 400 for a corrupt or foreign token, and for one made with other parameters."""
        parts = self._open(text)
        if parts is None or len(parts) != 4 or parts[0] != mailbox_id or parts[2] != parameters:  # noqa: PLR2004
            invalid("Invalid sync token value.", "syncToken")
        return SyncToken(str(parts[0]), int(str(parts[1])), str(parts[2]), int(str(parts[3])))

    def remember(self, listing: Listing) -> int:
        """Keep a listing for its later pages; returns its number."""
        self._made += 1
        self._listings[self._made] = listing
        while len(self._listings) > _MOST_LISTINGS:
            self._listings.popitem(last=False)
        return self._made

    def page_token(self, number: int, offset: int) -> str:
        """As sent."""
        return self._seal([number, offset])

    def read_page_token(self, text: str, mailbox_id: str, parameters: str) -> tuple[int, Listing, int]:
        """The listing's number, the listing and the offset. Raises ApiError 400."""
        parts = self._open(text)
        listing = self._listings.get(int(str(parts[0]))) if parts and len(parts) == 2 else None  # noqa: PLR2004
        if parts is None or listing is None or (listing.mailbox_id, listing.parameters) != (mailbox_id, parameters):
            invalid("Invalid page token value.", "pageToken")
        return int(str(parts[0])), listing, int(str(parts[1]))

    def _seal(self, parts: list[str | int]) -> str:
        raw = json.dumps(parts, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(raw) + raw).decode()

    def _open(self, text: str) -> list[str | int] | None:
        try:
            sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        raw = sealed[_MAC_BYTES:]
        if not hmac.compare_digest(sealed[:_MAC_BYTES], self._mac(raw)):
            return None
        parts: list[str | int] = json.loads(raw)
        return parts

    def _mac(self, raw: bytes) -> bytes:
        return hmac.digest(self._key, raw, "sha256")[:_MAC_BYTES]
