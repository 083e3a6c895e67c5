"""Waitress' connection, hardened: a slow request has a deadline, an oversized one is heard out and told so."""

from __future__ import annotations

import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import BadRequest, RequestEntityTooLarge, ServerNotImplemented

REQUEST_DEADLINE_S = 15.0
"""From a request's first byte to its last. A provider's whole attempt takes three seconds."""
_MAX_DISCARDED_BYTES = 64 * 1024 * 1024


class _Nowhere:
    """A buffer that forgets."""

    def __len__(self) -> int:
        return 0

    def append(self, data: bytes) -> None:
        """Drop it."""

    def getfile(self) -> None:
        """Nobody reads the body of a refused request."""

    def close(self) -> None:
        """Nothing is held."""


class PatientParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """
    Reads a body that is too large to its end, keeping nothing, before the 413 goes out.

    Waitress alone answers at once and closes; the sender, still sending, then sees a reset connection, not the answer.
    """

    error: Any
    _discarded = 0
    _refused = False

    def received(self, data: bytes) -> int:
        """Take `data`; returns how many bytes of it belong to this request."""
        consumed: int = self._discard(data) if self._refused else super().received(data)
        if isinstance(self.error, ServerNotImplemented):
            self.error = BadRequest(self.error.body)  # an unknown transfer encoding is the sender's fault, not ours
        if not self._refused and isinstance(self.error, RequestEntityTooLarge) and not self.expect_continue:
            self._refuse_patiently()
        return consumed

    def _refuse_patiently(self) -> None:
        body = self.body_rcv
        if body is None or body.completed or body.error:
            return
        self._refused = True
        self.completed = False
        body.buf = _Nowhere()

    def _discard(self, data: bytes) -> int:
        body = self.body_rcv
        consumed: int = body.received(data)
        self._discarded += consumed
        if body.completed or body.error or self._discarded > _MAX_DISCARDED_BYTES:
            self.completed = True
        return consumed


class DeadlineChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """Remembers when the request that is coming in began, however slowly its bytes drip."""

    parser_class = PatientParser
    _began_at: float | None = None

    def received(self, data: bytes) -> bool:
        """Take bytes from the socket."""
        if self._began_at is None:
            self._began_at = time.monotonic()
        taken: bool = super().received(data)
        if self.request is None:
            self._began_at = None
        return taken

    def is_late(self, now: float) -> bool:
        """Whether the incoming request has been coming in for too long. `now` is monotonic seconds."""
        return self._began_at is not None and now - self._began_at > REQUEST_DEADLINE_S
