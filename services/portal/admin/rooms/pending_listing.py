"""Keeps what the directory listed from the permission that read it, used once, to the administrator's word to import it."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Sequence

import msgspec

from services.portal.deps import Deps
from shared.contracts.rows import RoomImportRow
from shared.decoders import json_decoder
from shared.domain.instants import HOUR_MS
from shared.domain.sighting import DirectoryRoom
from shared.registry import tables

LIFE_MS = HOUR_MS
_ID = "latest"


class PendingListing:
    """The listing of one organisation. Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps, tenant: str) -> None:
        """Read nothing yet."""
        self._rows = tables.room_imports(deps.engine.registry)
        self._clock = deps.clock
        self._tenant = tenant

    def keep(self, listed: Sequence[DirectoryRoom]) -> str:
        """Keep a listing in place of the one before. Returns the name of its preview."""
        now_ms, preview = self._clock.now_ms(), secrets.token_urlsafe(16)
        raw = zlib.compress(msgspec.json.encode(listed))
        row = RoomImportRow(preview=preview, at_ms=now_ms, listed=raw)
        self._rows.put(self._tenant, _ID, row, not_after_ms=now_ms + LIFE_MS)
        return preview

    def read(self, preview: str) -> list[DirectoryRoom] | None:
        """The listing that `preview` shows; None when it is an hour old, was replaced, or was imported."""
        row = self._row()
        if row is None or row.preview != preview:
            return None
        return json_decoder(list[DirectoryRoom]).decode(zlib.decompress(row.listed))

    def latest(self) -> str:
        """The preview that there is; "" for none."""
        row = self._row()
        return row.preview if row else ""

    def ends_ms(self) -> int:
        """When the preview that there is ends."""
        row = self._row()
        return row.at_ms + LIFE_MS if row else 0

    def drop(self) -> None:
        """Forget the listing: it was imported."""
        self._rows.delete(self._tenant, _ID)

    def _row(self) -> RoomImportRow | None:
        row = self._rows.get(self._tenant, _ID)
        return row if row is not None and self._clock.now_ms() < row.at_ms + LIFE_MS else None
